import json
from zipfile import ZipFile

import pytest

from infra.terminal.invocation import again
from tests.infra.commands.pages import NAMES


@pytest.mark.parametrize("command", NAMES)
def test_every_command_explains_itself(run, command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert "--json" in done.stdout


def test_an_unknown_topic_is_a_usage_error_that_lists_the_known_ones(run):
    done = run("publish", "paymnet", "{}")
    assert done.exit_code == 2
    assert "unknown topic 'paymnet'; known are: trial-start, payment," in done.stderr
    assert done.stdout == ""


def test_nobody_publishes_to_an_outgoing_topic(run):
    assert run("publish", "decision", "{}").exit_code == 2


def test_nobody_listens_to_an_incoming_topic(run):
    done = run("listen", "payment")
    assert done.exit_code == 2
    assert (
        "known are: upsell-trigger, subscription-change, decision, exposure, catalog-published, dead-letter"
        in done.stderr
    )


@pytest.mark.parametrize("event", ["{", "", "payment"])
def test_an_event_that_is_not_json_is_a_usage_error(run, event):
    done = run("publish", "payment", event)
    assert done.exit_code == 2
    assert "expected the event as JSON" in done.stderr


def test_an_attribute_without_a_value_is_a_usage_error(run):
    done = run("publish", "payment", "{}", "--attribute", "source")
    assert done.exit_code == 2
    assert "expected an attribute as name=value, found 'source'" in done.stderr


def test_a_missing_argument_is_a_usage_error(run):
    assert run("publish", "payment").exit_code == 2


@pytest.mark.parametrize(
    "words", [("publish", "payment", "{}"), ("listen", "decision"), ("redrive",), ("redrive", "--go")]
)
def test_emulators_that_are_not_running_are_a_failure_that_says_how_to_start_them(run, words):
    done = run(*words)
    assert done.exit_code == 1
    assert done.stderr == (
        f"error: the emulators are not running; start them in another terminal with: {again()} up\n"
    )


def test_a_package_is_told_by_its_hash(run, tmp_path):
    words = ("package", "payment", "trial_start", "--out", str(tmp_path), "--json")
    first, second = run(*words), run(*words)
    assert first.stdout == second.stdout
    told = [json.loads(line) for line in first.stdout.splitlines()]
    assert [each["function"] for each in told] == ["payment", "trial_start"]
    with ZipFile(told[0]["zip"]) as bundle:
        assert "main.py" in bundle.namelist()


def test_an_unknown_function_is_a_usage_error(run):
    done = run("package", "refund")
    assert done.exit_code == 2
    assert "unknown function 'refund'; known are: trial_start," in done.stderr
