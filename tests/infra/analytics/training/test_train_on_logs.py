"""`upbeat train DIR`: rows from a raw log, with the facts that a decision would have known, and nothing later."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import orjson
import pytest

from tests.support import analysts

analysts.required("lightgbm", "sklearn")

from infra.analytics.training.log_rows import rows_of_file, rows_of_log
from infra.analytics.training.outcomes import parse_outcome
from infra.analytics.training.replayed import Wanted, feature_names, snapshots
from infra.analytics.training.rows_file import to_line
from infra.analytics.training.user_rows import TOPICS, Span, When, rows_of
from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.errors import UsageError
from infra.raw.folder import RAW
from infra.raw.reader import messages_of
from shared.contracts.inbound.envelope import EVENTS
from shared.domain.terms import Terms
from tests.support import replays
from tests.support.replays import START, at, event, payment, signal, trial

CATALOG = load_catalog(DEFAULT_CATALOG)
TERMS = Terms()
FACTS = feature_names(CATALOG)


def lives(users=60, periods=8):
    """Users who pay every 30 days; each third one views the cancel page, and stops two days later or not."""
    lines = []
    for number in range(users):
        user, first = f"u{number:03}", number * 2
        lines.append((first, trial(user, first, first + 14, f"trial-{user}")))
        ends = 2 + number % 3 if number % 3 == 0 else periods
        for period in range(ends):
            day = first + 14 + 30 * period
            lines.append((day, payment(user, day, event_id=f"paid-{user}-{period}")))
        if number % 3 == 0:
            day = first + 14 + 30 * ends - 2
            lines.append((day, signal(user, day, "cancel_page_viewed", f"viewed-{user}")))
    return [line for _, line in sorted(lines, key=lambda one: one[0])]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    done = replays.run(tmp_path_factory.mktemp("log"), *lives(), keep_store=True)
    return done.folder / RAW


def rows(log, label="no-payment:40d", **when):
    return rows_of_log(log, parse_outcome(label), When(**when), CATALOG, TERMS)


def taken(log, *days):
    """The snapshots at fixed days, by user and day."""
    instants = [START + timedelta(days=day) for day in days]
    messages = messages_of(log, EVENTS).messages
    found = snapshots(messages, CATALOG, TERMS, Wanted(instants), lambda _: None)
    return {(one.user_id, (one.at - START).days): one.facts for one in found}


def test_snapshots_have_the_facts_of_their_instant(log):
    facts = taken(log, 13, 20, 50)
    assert facts["u001", 13]["subscription.status"] == "trialing"
    assert facts["u001", 20]["subscription.status"] == "active"
    assert facts["u001", 50]["subscription.recent_payments"] == 2
    assert ("u050", 2) not in facts


def test_every_fact_that_a_score_may_use_is_there_and_nothing_else(log):
    facts = taken(log, 50)["u001", 50]
    assert tuple(facts) == FACTS
    assert not any(name.startswith(("scores", "offers", "now")) for name in facts)


def test_snapshots_say_what_the_logs_own_decisions_knew(log):
    found = rows(log, "payment:40d", moments=("renewed", "payment.failed", "activated", "trial.ending"))
    assert found.checked > 500
    assert found.different == 0


def test_a_late_event_is_not_known_before_it_was_published(tmp_path):
    late = payment("u", 14, event_id="paid") | {"publish_time": at(40)}
    lines = [trial("u"), payment("v", 14, event_id="other"), late]
    facts = taken(replays.run(tmp_path, *lines, keep_store=True).folder / RAW, 20, 39, 41)
    assert facts["u", 20]["subscription.recent_payments"] == 0
    assert facts["u", 39]["subscription.recent_payments"] == 0
    assert facts["u", 41]["subscription.recent_payments"] == 1


def test_no_event_after_an_instant_changes_its_snapshot(tmp_path):
    lines = lives(12, 5)
    until = START + timedelta(days=70)
    early = [line for line in lines if datetime.fromisoformat(line["data"]["occurred_at"]) <= until]
    whole = replays.run(tmp_path / "whole", *lines, keep_store=True).folder / RAW
    part = replays.run(tmp_path / "part", *early, now=until, keep_store=True).folder / RAW
    assert taken(whole, 30, 69) == taken(part, 30, 69)


def test_duplicates_and_messages_that_are_no_events_change_nothing(tmp_path):
    lines = lives(12, 5)
    doubled = [each for line in lines for each in (line, line)]
    plain = replays.run(tmp_path / "plain", *lines, keep_store=True).folder / RAW
    other = replays.run(tmp_path / "other", *doubled, *replays.GARBAGE, keep_store=True).folder / RAW
    (other / "payment.jsonl").open("ab").write(b'{"torn": ')
    assert taken(plain, 30, 90) == taken(other, 30, 90)


def test_the_label_is_what_happened_after_the_instant(log):
    found = rows(log, "payment:31d").dataset
    by_user = {}
    for row, label in enumerate(found.label):
        by_user.setdefault(found.users[row], []).append(bool(label))
    assert any(all(labels) for labels in by_user.values())
    assert any(labels[0] and not labels[-1] for labels in by_user.values())
    assert rows(log, "no-payment:31d").dataset.label.tolist() == [not label for label in found.label]


def test_a_label_whose_time_is_not_over_is_no_row(log):
    newest = messages_of(log, EVENTS).messages[-1].published_at
    found = rows(log, "payment:40d", every=timedelta(days=1)).dataset
    assert max(found.times) <= (newest - timedelta(days=40)).timestamp()
    decided = rows(log, "payment:40d", moments=("renewed",)).dataset
    assert max(decided.times) <= (newest - timedelta(days=40)).timestamp()
    assert any("are not over" in note for note in decided.notes)


def test_moments_are_labels_too(log):
    found = rows(log, "expired:60d").dataset
    assert 0 < found.label.mean() < 1
    assert found.label_text == "a moment expired of the user comes within 60 days"


def test_only_users_with_access_if_that_is_asked(log):
    found = rows(log, only_entitled=True).dataset
    assert set(found.facts["subscription.entitled"]) == {True}
    assert set(rows(log).dataset.facts["subscription.entitled"]) == {True, False}


def test_offers_are_rows_for_a_label_of_feedback(tmp_path):
    lines = lives(40, 3)
    first = replays.run(tmp_path / "first", *lines, keep_store=True)
    issued = [each for each in first.rows("triggers") if each["kind"] == "issued"]
    accepted = {each["trigger_id"] for number, each in enumerate(issued) if number % 4 == 0}
    for each in issued:
        if each["trigger_id"] in accepted:
            days = (datetime.fromisoformat(each["decided_at"]) - START) / timedelta(days=1) + 0.5
            given = {"trigger_id": each["trigger_id"], "kind": "accepted"}
            lines.append(event("trigger-feedback", each["user_id"], days, f"yes-{each['trigger_id']}", **given))
    lines.sort(key=lambda line: line["data"]["occurred_at"])
    log = replays.run(tmp_path / "second", *lines, keep_store=True).folder / RAW
    found = rows(log, "accepted:3d")
    newest = messages_of(log, EVENTS).messages[-1].published_at
    over = [each for each in issued if datetime.fromisoformat(each["decided_at"]) <= newest - timedelta(days=3)]
    told = {
        orjson.loads(message.delivery.data)["trigger_id"]
        for message in messages_of(log, ["upsell-trigger"]).messages
        if orjson.loads(message.delivery.data)["kind"] == "issued"
    }
    over = [each for each in over if each["trigger_id"] in told]
    assert len(found.dataset.label) >= len(over) > 50
    assert found.dataset.label.sum() >= sum(each["trigger_id"] in accepted for each in over) > 10
    assert found.different == 0


def test_rows_that_a_pipeline_wrote_are_the_rows_of_the_log(log, tmp_path):
    label, file = "no-payment:40d", tmp_path / "rows.jsonl"
    messages = messages_of(log, TOPICS).messages
    span = Span(messages[0].published_at, messages[-1].published_at)
    made = rows_of(messages, span, parse_outcome(label), When(), CATALOG, TERMS).rows
    file.write_bytes(b"".join(to_line(row, label) for row in reversed(made)))
    read, whole = (each.dataset for each in (rows_of_file(file, label, When(), CATALOG), rows(log)))
    for name in ("label", "users", "times"):
        assert [*getattr(read, name)] == [*getattr(whole, name)]
    assert [column.name for column in read.columns] == [column.name for column in whole.columns]
    assert (read.label_text, read.horizon, read.is_replayed, read.unfit) == (
        *(whole.label_text, whole.horizon, whole.is_replayed, whole.unfit),
    )


@pytest.mark.parametrize("line", [b"no JSON", b"[]", b"{}", b'{"user_id": "u", "at": "then", "facts": {}}'])
def test_a_file_of_something_else_is_refused(line, tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(line)
    with pytest.raises(UsageError, match=r"rows\.jsonl: line 1: expected a row that"):
        rows_of_file(tmp_path / "rows.jsonl", "no-payment:40d", When(), CATALOG)


@pytest.mark.parametrize(
    "label", ["payment", "paid:3d", "no-payment:0d", "no-payment:99999d", "payment:3", "", "churn", "payment:-3d"]
)
def test_a_label_that_means_nothing_is_refused(label):
    with pytest.raises(UsageError, match="--label: expected"):
        parse_outcome(label)


def test_a_folder_without_a_log_and_a_log_that_is_too_short_are_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a raw log"):
        rows(tmp_path)
    short = replays.run(tmp_path, *lives(12, 1), keep_store=True).folder / RAW
    with pytest.raises(UsageError, match="with 400 days after, found none"):
        rows(short, "no-payment:400d")


def uncertain_lives(users=250):
    """Users of whom most leave soon after they view the cancel page, and few of the others."""
    random, lines = Random(5), []  # noqa: S311 - cases, not secrets
    for number in range(users):
        user, day = f"u{number:03}", random.uniform(0, 200)
        lines.append((day, trial(user, day, day + 14, f"trial-{user}")))
        day += 14
        for period in range(8):
            lines.append((day, payment(user, day, event_id=f"paid-{user}-{period}")))
            views = random.random() < 0.15
            if views:
                lines.append((day + 20, signal(user, day + 20, "cancel_page_viewed", f"viewed-{user}-{period}")))
            if random.random() < (0.8 if views else 0.06):
                break
            day += 30
    return [line for _, line in sorted(lines, key=lambda one: one[0])]


@pytest.mark.slow
def test_the_command_learns_from_a_log_and_compares_with_the_score_in_force(run, tmp_path):
    log = replays.run(tmp_path / "log", *uncertain_lives(), keep_store=True).folder / RAW
    words = ["--label", "no-payment:40d", "--score", "churn_risk@2", "--out", str(tmp_path), "--at", "2026-01-01"]
    more = ["--kind", "logistic", "--promote-against", "churn_risk@1", "--json", "--every", "10", "--entitled"]
    done = run("train", str(log.parent), *words, *more)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert "signals.cancel_page_viewed.count" in told["features"]
    assert "tested on rows from then on" in told["tested"]
    assert told["promotion"]["against"] == "churn_risk@1"
    assert told["promotion"]["log_loss"]["high"] < 0
    artifact = json.loads((tmp_path / "churn_risk.2.json").read_text())
    assert artifact["description"] == "The probability that no payment of the user succeeds within 40 days."
    (tmp_path / "scores").mkdir()
    (tmp_path / "churn_risk.2.json").rename(tmp_path / "scores" / "churn_risk.2.json")
    (tmp_path / "catalog.yaml").write_text("scores: {churn_risk: {version: 2}}\n")
    assert load_catalog(tmp_path / "catalog.yaml").library.score("churn_risk", 2).features <= {*FACTS}


def test_a_log_or_a_table_and_not_both(run, tmp_path):
    for words in ((), (str(tmp_path), "--rows", str(tmp_path / "x.csv"))):
        done = run("train", *words, "--label", "x")
        assert (done.exit_code, "expected DIR or --rows FILE" in done.stderr) == (2, True)


def test_an_instant_belongs_to_what_was_published_at_it(tmp_path):
    facts = taken(replays.run(tmp_path, trial("u"), payment("u", 14), keep_store=True).folder / RAW, 14)
    assert facts["u", 14]["subscription.recent_payments"] == 1
    assert START.tzinfo is UTC
