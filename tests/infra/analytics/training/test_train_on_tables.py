"""`upbeat train --rows`: what is learned from tables of all kinds, what is left out, and what is refused."""

import csv
import json
from math import exp

import pytest

from tests.support import analysts

analysts.required("lightgbm", "sklearn")

import numpy as np

from infra.analytics.artifacts import find_score
from infra.analytics.tables import rows
from infra.analytics.training import quality
from infra.analytics.training.dataset import Roles, dataset_of_table
from infra.analytics.training.folds import inner, split
from infra.analytics.training.measures import auc, auc_interval, calibration_bins, losses
from tests.support import churn_table

DAY = ("--at", "2026-01-01")


@pytest.fixture
def learn(run, tmp_path):
    """Train on a table, and give what was told as JSON."""

    def learn_from(table, *options, label="label"):
        file = tmp_path / "table.csv"
        with file.open("w", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerows(table)
        words = ("--label", label, "--score", "s", "--folds", "2", "--out", str(tmp_path), *DAY)
        kind = () if "--kind" in options else ("--kind", "logistic")
        done = run("train", "--rows", str(file), "--json", *words, *kind, *options)
        return json.loads(done.stdout) if done.exit_code == 0 else done

    return learn_from


def people(count=300, seed=1, **columns):
    """A table of a number and a category that matter, and of columns by their functions of number and label."""
    random = np.random.default_rng(seed)
    table = [["x", "z", *columns, "label"]]
    for number in range(count):
        x, z = random.normal(), random.choice([*"abc"])
        label = bool(random.random() < 1 / (1 + exp(-2 * x - (z == "a"))))
        more = [column(number, label, random) for column in columns.values()]
        table.append([f"{x:.6f}", z, *more, "Yes" if label else "No"])
    return table


def relabelled(table, yes, no):
    return [table[0], *([*row[:-1], yes if row[-1] == "Yes" else no] for row in table[1:])]


def notes(told):
    return "\n".join(told["notes"])


@pytest.fixture(scope="module")
def of_customers(tmp_path_factory):
    """The command of the gates, on the customers."""
    from typer.testing import CliRunner  # noqa: PLC0415

    from infra.__main__ import app  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("customers")
    file = churn_table.written(folder)
    words = ["train", "--rows", str(file), "--label", "Churn", "--out", str(folder), "--json", *DAY]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout), folder, file


@pytest.mark.slow
def test_the_gates_hold_on_the_customers_out_of_fold(of_customers):
    told, _, _ = of_customers
    measured = told["metrics"][told["kind"]]
    assert measured["rows"] == 7043
    assert measured["auc"] >= 0.845
    assert measured["log_loss"] <= 0.415
    assert measured["calibration_error"] <= 0.02
    assert told["shuffled"]["is_plausible"]
    assert told["label"] == "churn is yes"
    assert told["tested"] == "10 stratified folds, seed 0"


@pytest.mark.slow
def test_the_artifact_of_the_customers_scores_the_file_that_it_learned_from(of_customers, run):
    _, folder, file = of_customers
    score = find_score(str(folder / "churn.1.json"))
    found = [(score.evaluate(row).value, row["churn"] == "Yes") for row in rows(file)]
    assert 0.84 < quality.auc(found) < 0.88
    assert run("score", str(file), "--model", str(folder / "churn.1.json")).exit_code == 0


@pytest.mark.slow
def test_the_card_tells_quality_calibration_slices_and_features(of_customers):
    _, folder, _ = of_customers
    card = (folder / "churn.1.md").read_text()
    for title in ("# churn@1", "## Quality", "## Calibration", "## Slices", "## Features", "## Notes"):
        assert f"\n{title}" in f"\n{card}"
    assert "| contract | Two year |" in card
    assert "shuffled labels: auc" in card.lower()


def test_the_same_rows_and_seed_give_the_same_file(learn, tmp_path):
    learn(people())
    first = (tmp_path / "s.1.json").read_bytes(), (tmp_path / "s.1.md").read_bytes()
    learn(people())
    assert ((tmp_path / "s.1.json").read_bytes(), (tmp_path / "s.1.md").read_bytes()) == first


def test_an_artifact_is_not_replaced_by_another_unless_it_is_forced(learn, tmp_path):
    learn(people())
    done = learn(people(seed=2))
    assert (done.exit_code, "expected a version that is new" in done.stderr) == (2, True)
    first = (tmp_path / "s.1.json").read_bytes()
    learn(people(seed=2), "--force")
    assert (tmp_path / "s.1.json").read_bytes() != first


@pytest.mark.parametrize(
    ("yes", "no"),
    [("1", "0"), ("TRUE", "False"), ("y", "n"), ("1.0", "0.0"), ("1", "-1"), ("churned", "stayed"), ("t", "f")],
)
def test_labels_are_written_in_many_ways(learn, yes, no):
    found = learn(relabelled(people(), yes, no))
    assert found["metrics"] == learn(people(), "--force")["metrics"]


def test_of_two_unknown_values_the_rarer_counts_as_true_and_that_is_said(learn):
    told = learn(relabelled(people(), "Attrited", "Existing"))
    assert told["label"] in ("label is attrited", "label is existing")
    assert "counts as true: --positive chooses otherwise" in notes(told)
    chosen = learn(relabelled(people(), "Attrited", "Existing"), "--positive", "Existing", "--force")
    assert chosen["label"] == "label is existing"


@pytest.mark.parametrize("label", ["LABEL", "La bel", "label"])
def test_the_label_is_found_whatever_its_capitals_and_spaces(learn, label):
    assert learn(people(), label=label)["rows"] == 300


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        ([["x", "label"]], (), "expected rows, found none"),
        (relabelled(people(), "1", "1"), (), "expected two values in label, found '1' (300 rows)"),
        (people()[:9], (), "expected at least 5"),
        ([*people()[:200], ["1", "a", "maybe"]], (), "found 3: 'maybe' (1 rows)"),
        ([["id", "label"], *([f"u{n}", n % 2] for n in range(99))], (), "found none (id has 99 different"),
        (people(), ("--kind", "magic"), "--kind: expected auto or one of logistic, trees, found 'magic'"),
        (people(), ("--leave-out", "q"), "--leave-out: expected one of the columns x, z, found 'q'"),
        (people(), ("--at", "yesterday"), "--at: expected a date"),
        (people(), ("--positive", "Perhaps"), "--positive: expected a value of label"),
        (people(), ("--time", "z"), "--time: expected an ISO 8601 date"),
        (people(), ("--promote-against", "nothing@1"), "unknown score 'nothing@1'"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_the_reason(learn, table, options, said):
    done = learn(table, *options)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_column_that_does_not_exist_is_named_with_those_that_do(learn):
    assert (
        "--label: expected one of the columns label, x, z, found 'churn'" in learn(people(), label="churn").stderr
    )


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (lambda n, _label, _random: f"C{n:05}", "an identifier or free text"),
        (lambda n, _label, _random: 15_600_000 + n, "an identifier"),
        (lambda *_: "same", "the same value in every row (same)"),
        (lambda *_: "", "has no value in any row"),
        (lambda n, *_: f"20{10 + n % 15}-03-{1 + n % 28:02}", "holds dates"),
        (lambda n, *_: f"{1 + n % 12}/{1 + n % 28}/2024", "holds dates"),
        (lambda n, *_: 1_700_000_000_000 + n, "numbers beyond 10^12"),
        (lambda _n, label, _random: "price" if label else "", "foretells the label almost perfectly"),
        (lambda _n, label, random: label * 10 + random.random(), "foretells the label almost perfectly"),
        (lambda n, *_: "1.5" if n % 2 else "text", "text and fractions"),
    ],
)
def test_a_column_of_no_use_or_of_the_future_is_left_out_and_named(learn, column, said):
    told = learn(people(more=column))
    assert told["features"] == ["x", "z"]
    assert said in notes(told)
    assert notes(told).startswith("more ")
    assert told["metrics"] == learn(people(), "--force")["metrics"] or "foretells" in said or "text and" in said


def test_a_column_that_only_nearly_knows_the_future_is_named(learn):
    told = learn(
        people(refund=lambda _n, label, random: (label ^ (random.random() < 0.04)) * 10 + random.random())
    )
    assert "refund alone has an AUC of 0.9" in notes(told)
    assert "refund" in told["features"]


def test_a_copy_of_a_column_is_left_out_in_other_words_too(learn):
    table = [[*row[:-1], row[1].upper(), row[0], row[-1]] for row in people()]
    table[0] = ["x", "z", "Z again", "x", "label"]
    told = learn(table)
    assert told["features"] == ["x", "z"]
    assert "Z_again says the same as z in every row" in notes(told)
    assert "x_2 says the same as x in every row" in notes(told)


def test_what_is_kept_on_request_stays(learn):
    told = learn(people(more=lambda _n, label, _random: 3 if label else 1), "--keep", "more")
    assert "more" in told["features"]
    assert "but kept as was asked" in notes(told)


def test_missing_numbers_may_be_words_and_blanks(learn, tmp_path):
    table = people(more=lambda n, _label, random: ["NA", " ", "", "null", f"{random.normal():.3f}"][min(n % 9, 4)])
    told = learn(table)
    assert "more" in told["features"]
    assert "'NA', 'null', taken for missing" in notes(told)
    assert find_score(str(tmp_path / "s.1.json")).evaluate({"x": 1, "z": "a"}).value is not None


def test_rows_without_a_label_and_repeated_customers_are_left_out_and_counted(learn):
    table = people(who=lambda n, *_: f"u{n}")
    told = learn([*table, *table[1:11], ["0.5", "a", "u999", ""]])
    assert told["rows"] == 300
    assert "10 rows repeat an earlier one" in notes(told)
    assert "1 rows have no label" in notes(told)


def test_rows_of_one_user_are_never_on_both_sides_of_a_test(learn):
    table = people(600)
    copies = [["user", *table[0]], *([f"u{n // 6}", *table[1 + n]] for n in range(600))]
    assert "all rows of a user in one fold" in learn(copies, "--user", "user")["tested"]
    rows_of = [dict(zip(copies[0], row, strict=True)) for row in copies[1:]]
    dataset = dataset_of_table(rows_of, Roles("label", user="user"), "a test")
    folds = split(dataset, 10, 0)
    assert [*folds.tested] == [*range(600)]
    for train, test in folds.folds:
        assert set(dataset.users[train].tolist()).isdisjoint(dataset.users[test].tolist())
        for inner_train, inner_test in inner(dataset, train, 3, 0, 1000):
            assert {*inner_train.tolist(), *inner_test.tolist()} == {*train.tolist()}
            assert set(dataset.users[inner_train].tolist()).isdisjoint(dataset.users[inner_test].tolist())


def test_with_a_time_the_newest_rows_are_the_test(learn):
    table = people(600, when=lambda n, *_: f"2026-{1 + n // 60:02}-{1 + n % 28:02}T00:00:00Z")
    told = learn(table, "--time", "when")
    assert "tested on rows from then on" in told["tested"]
    assert 100 < told["metrics"]["logistic"]["rows"] < 260
    assert told["features"] == ["x", "z"]


def test_features_that_only_matter_together_are_learned_by_trees(learn):
    random = np.random.default_rng(3)
    pairs = random.normal(size=(1500, 2))
    labels = random.random(1500) < np.where(pairs.prod(axis=1) > 0, 0.9, 0.1)
    told = learn(
        [["p", "q", "label"], *([*pair, int(label)] for pair, label in zip(pairs, labels, strict=True))],
        "--kind",
        "auto",
    )
    assert told["kind"] == "trees"
    assert told["metrics"]["trees"]["auc"] > 0.8


def test_noise_teaches_nothing_and_that_is_said(learn):
    random = np.random.default_rng(4)
    told = learn([["p", "label"], *([value, int(random.random() < 0.5)] for value in random.normal(size=400))])
    assert "these rows teach it nothing" in notes(told)


def test_columns_can_be_attributes_of_users(learn):
    assert learn(people(), "--attributes")["features"] == ["profile.attributes.x", "profile.attributes.z"]


def test_a_worse_score_is_refused_and_nothing_is_written(learn, tmp_path):
    learn(people(1000))
    (tmp_path / "s.1.json").rename(tmp_path / "in_force.json")
    (tmp_path / "s.1.md").unlink()
    done = learn(people(1000, seed=5), "--leave-out", "x", "--promote-against", str(tmp_path / "in_force.json"))
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["promotion"]["refusal"] == "its log-loss is surely higher"
    assert told["promotion"]["log_loss"]["low"] > 0
    assert told["files"] == []
    assert not (tmp_path / "s.1.json").exists()


def test_a_better_score_may_replace_the_one_in_force(learn, tmp_path):
    learn(people(1000), "--leave-out", "x")
    (tmp_path / "s.1.json").rename(tmp_path / "in_force.json")
    told = learn(people(1000, seed=5), "--promote-against", str(tmp_path / "in_force.json"), "--force")
    assert told["promotion"]["refusal"] is None
    assert told["promotion"]["log_loss"]["high"] < 0
    assert told["promotion"]["auc"]["low"] > 0


def test_few_rows_cannot_tell_so_that_the_one_in_force_stays(learn, tmp_path):
    learn(people(1000))
    (tmp_path / "s.1.json").rename(tmp_path / "in_force.json")
    done = learn(people(40, seed=6), "--promote-against", str(tmp_path / "in_force.json"), "--force")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["promotion"]["refusal"] is not None


def test_measures_are_the_same_with_numpy_and_without():
    random = np.random.default_rng(8)
    predicted = np.round(random.random(500), 2) * 0.98 + 0.01
    label = random.random(500) < predicted
    pairs = [*zip(predicted.tolist(), label.tolist(), strict=True)]
    assert auc(predicted, label) == pytest.approx(quality.auc(pairs))
    assert losses(predicted, label).mean() == pytest.approx(quality.log_loss(pairs))
    assert [tuple(part) for part in calibration_bins(predicted, label)] == [
        pytest.approx(tuple(part)) for part in quality.calibration(pairs)
    ]


def test_the_interval_of_the_auc_holds_the_truth_in_nineteen_of_twenty_tables():
    random = np.random.default_rng(9)
    held = 0
    for _ in range(400):
        label = random.random(200) < 0.3
        predicted = random.normal(size=200) + label  # the AUC of two normals one deviation apart
        _, low, high = auc_interval(predicted, label)
        held += low <= 0.7602 <= high
    assert 366 <= held <= 396
