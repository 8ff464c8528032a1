import json
import re
import subprocess
import sys

import pytest

HEADER = (
    "user,subscription.status,subscription.auto_renew,subscription.payment_failing,"
    "subscription.recent_payments,subscription.days_until_period_end,signals.inactivity.days_since"
)


@pytest.fixture
def table(tmp_path):
    """Three users, of whom the last has a fact that cannot be."""
    file = tmp_path / "users.csv"
    users = ["u1,active,true,false,3,12,", "u2,grace,true,true,1,-4,2", "u3,active,yes,false,3,12,"]
    file.write_text("\n".join([HEADER, *users]) + "\n")
    return str(file)


def test_every_row_gets_a_line_with_its_score_or_why_there_is_none(run, table):
    done = run("score", table, "--model", "churn_risk@1")
    assert re.fullmatch(
        r"1\t0\.1000\d\d\n2\t0\.[5-9]\d{5}\n"
        r"3\tscore churn_risk version 1: subscription\.auto_renew: expected a known category, found another\n",
        done.stdout,
    )
    assert done.exit_code == 1
    assert done.stderr.endswith("3 rows: 2 scored, 1 not\n")


def test_a_feature_that_no_row_has_is_a_warning_and_a_column_that_nobody_asked_for_is_none(run, table):
    warnings = run("score", table, "--model", "churn_risk@1").stderr
    assert "warning: no row has signals.support_contact.days_since, so it is missing in all\n" in warnings
    assert "user" not in warnings
    assert "signals.inactivity" not in warnings


def test_as_json_each_line_is_an_object_with_the_whole_number(run, table):
    told = [
        json.loads(line) for line in run("score", table, "--model", "churn_risk@1", "--json").stdout.splitlines()
    ]
    assert [each["row"] for each in told] == [1, 2, 3]
    assert told[0]["score"] == pytest.approx(0.1, abs=1e-4)
    assert told[0]["error"] is None
    assert told[2]["score"] is None
    assert "subscription.auto_renew" in told[2]["error"]


def test_rows_that_all_have_a_score_are_success(run, tmp_path):
    file = tmp_path / "users.jsonl"
    subscription = {
        "status": "active",
        "auto_renew": False,
        "payment_failing": False,
        "recent_payments": 3,
        "days_until_period_end": 9,
    }
    file.write_text(json.dumps({"subscription": subscription}) + "\n")
    done = run("score", str(file), "--model", "churn_risk@1")
    assert done.exit_code == 0
    assert done.stdout.startswith("1\t0.78")


def test_the_lines_go_to_a_file_where_one_is_named(run, table, tmp_path):
    out = tmp_path / "scores.tsv"
    told = run("score", table, "--model", "churn_risk@1", "--out", str(out))
    assert told.stdout == ""
    assert out.read_text() == run("score", table, "--model", "churn_risk@1").stdout


def test_the_rows_are_never_overwritten(run, table, tmp_path):
    done = run("score", table, "--model", "churn_risk@1", "--out", table)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--out: expected another file than the rows" in done.stderr
    assert HEADER in (tmp_path / "users.csv").read_text()


@pytest.mark.parametrize(
    "words", [("users.parquet", "churn_risk@1"), ("users.csv", "churn_risk@9"), ("none.csv", "x")]
)
def test_what_makes_no_sense_is_a_usage_error_and_leaves_no_file(run, table, tmp_path, words):  # noqa: ARG001
    (tmp_path / "users.parquet").write_bytes(b"PAR1")
    file, model = words
    done = run("score", str(tmp_path / file), "--model", model, "--out", str(tmp_path / "out"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_to_is_a_failure(run, table, tmp_path):
    done = run("score", table, "--model", "churn_risk@1", "--out", str(tmp_path / "none" / "out"))
    assert done.exit_code == 1
    assert "No such file or directory" in done.stderr


def test_no_rows_are_no_failure_and_no_warning(run, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    done = run("score", str(tmp_path / "none.jsonl"), "--model", "churn_risk@1")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "0 rows: 0 scored, 0 not\n")


def test_the_help_shows_an_example(run):
    told = run("score", "--help").stdout
    assert "upbeat score users.csv --model churn_risk@1" in told


def test_nothing_heavy_is_imported_before_a_command_runs():
    names = "pydantic", "cel_expr_python"
    script = f"import sys, infra.commands.score; print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "[]\n"
