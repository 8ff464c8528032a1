"""Publishing with --dry-run, the history, and the way back to an earlier catalog, on the emulators."""

import json
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

import pytest
from google.pubsub_v1.types import Subscription
from typer.testing import CliRunner

from infra.__main__ import app
from infra.catalog.comparison import compare
from infra.catalog.load import artifacts_of, load_catalog
from infra.remote.catalog_history import history
from infra.remote.firestore import publish_catalog
from infra.terminal.invocation import again
from shared.decisioning.compile import compile_catalog
from tests.support.artifacts import logistic, number

pytestmark = pytest.mark.emulator
SALE = {
    "placements": {"banner": {"channel": "in_app"}},
    "offers": {"any": {"cms_ref": "x", "validity_hours": 1}},
    "campaigns": {"sale": {"offer": "any", "placement": "banner", "moments": ["renewed"], "priority": 1}},
}
WITH_SCORE = {"scores": {"risk": {"version": 1}}}
WITH_POLICY = {
    "offers": SALE["offers"],
    "experiments": {
        "price": {"policy": "bandit", "variants": [{"id": "a", "offer": "any"}, {"id": "b", "offer": None}]}
    },
}


def run(*words):
    return CliRunner().invoke(app, ["catalog", *words])


def told(*words):
    done = run(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def everything(firestore):
    """Every document but users', by its path."""
    collections = ("catalog", "publications", "scores", "policies")
    found = (each for name in collections for each in firestore.collection(name).get())
    return {each.reference.path: each.to_dict() for each in found}


@pytest.fixture
def write(tmp_path):
    def file(content, name="new.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return str(path)

    return file


@pytest.fixture
def heard(bus):
    """A function that returns the messages of catalog-published since the last call."""
    wanted = Subscription(name=bus.subscription_path("heard"), topic=bus.topic_path("catalog-published"))
    bus.create_subscription(wanted)

    def pull():
        found = []
        while received := bus.pull("heard", 10):
            bus.ack("heard", received)
            found += [json.loads(each.data) for each in received]
        return found

    return pull


class TestDryRun:
    def test_it_tells_what_would_change_and_writes_nothing(self, firestore, write, heard):
        publish_catalog(firestore, compile_catalog(SALE))
        before = everything(firestore)
        new = {**SALE, "campaigns": {}, "time_zone": "Asia/Tokyo"}
        done = told("publish", write(new), "--dry-run")
        assert (done["published"], done["dry_run"], done["differ"]) == (False, True, True)
        assert [(each["section"], each["kind"]) for each in done["entries"]] == [
            ("time_zone", "changed"),
            ("campaigns", "removed"),
        ]
        assert done["recalls"] == [f"{again()} catalog recall sale"]
        assert done["before"]["version"] == compile_catalog(SALE).version
        page = run("publish", write(new), "--dry-run").stdout
        assert "- sale" in page
        assert page.endswith("\nNothing is published (dry run).\n")
        assert everything(firestore) == before
        assert heard() == []

    def test_the_number_is_the_least_that_the_publication_then_has(self, firestore, bus, write):  # noqa: ARG002
        publish_catalog(firestore, compile_catalog(SALE))
        seen = told("publish", write({}), "--dry-run")["number"]
        assert told("publish", write({}))["number"] >= seen > 0

    def test_warnings_are_told_as_lint_tells_them(self, firestore, write):  # noqa: ARG002
        ended = {**SALE, "campaigns": {"sale": {**SALE["campaigns"]["sale"], "ends_at": "2020-01-01T00:00:00Z"}}}
        (warning,) = told("publish", write(ended), "--dry-run")["warnings"]
        assert warning.startswith("campaigns.sale.ends_at: expected a time to come")

    def test_each_artifact_is_told_with_what_becomes_of_it(self, firestore, write):
        risk = logistic(numeric=[number("subscription.recent_payments")]) | {"name": "risk", "version": 1}
        write(risk, "scores/risk.1.json")
        write({"arms": {"a": 0.5, "b": 0.5}, "policy_version": "1"}, "policies/bandit.json")
        file = write({**WITH_SCORE, **WITH_POLICY})
        paths = ["scores/risk.1", "policies/bandit"]
        assert told("publish", file, "--dry-run")["artifacts"] == dict.fromkeys(paths, "new")
        assert run("publish", file, "--dry-run").stdout.splitlines()[0] == "No catalog is in force."
        loaded = load_catalog(Path(file))
        publish_catalog(firestore, loaded, artifacts_of(loaded, Path(file)))
        assert told("publish", file, "--dry-run")["artifacts"] == dict.fromkeys(paths, "same")
        write({"arms": {"a": 1.0, "b": 0.0}, "policy_version": "2"}, "policies/bandit.json")
        write({**risk, "description": "another"}, "scores/risk.1.json")
        done = run("publish", file, "--dry-run", "--json")
        assert json.loads(done.stdout)["artifacts"] == {paths[0]: "refused", paths[1]: "replaced"}
        assert done.exit_code == 1
        page = run("publish", file, "--dry-run").stdout
        assert "scores/risk.1: refused: the version is published with other content" in page
        assert page.endswith("It would fail, and nothing is published.\n")

    def test_with_if_none_there_is_nothing_to_tell_where_a_catalog_is_in_force(self, firestore, write):
        publish_catalog(firestore, compile_catalog(SALE))
        done = run("publish", write({}), "--if-none", "--dry-run")
        assert (done.exit_code, done.stdout.endswith("is in force\n")) == (0, True)

    def test_a_catalog_in_force_that_this_version_refuses_is_told(self, firestore, write):
        firestore.document("catalog/v1").set({"catalog": {"offers": 5}})
        firestore.document("catalog/current").set({"version": "v1", "number": 7})
        page = run("publish", write(SALE), "--dry-run").stdout
        assert page.startswith("v1 is in force, and this version of Upbeat cannot read it.\n")
        assert told("publish", write(SALE), "--dry-run")["before"] == {"file": "in force", "version": "v1"}


class TestHistory:
    def test_each_publication_is_a_line_with_what_it_changed(self, firestore):
        publish_catalog(firestore, compile_catalog(SALE), by="deploy")
        publish_catalog(firestore, compile_catalog({**SALE, "kill_switch": True}), by="ada")
        lines = run("history").stdout.splitlines()
        assert lines[0].split() == ["number", "version", "published", "(UTC)", "by", "what", "changed"]
        assert "ada" in lines[2]
        assert lines[2].endswith("in force   changed kill_switch to true")
        assert lines[3].endswith("the first publication on record")
        rows = [json.loads(line) for line in run("history", "--json").stdout.splitlines()]
        assert [(row["by"], row["in_force"]) for row in rows] == [("ada", True), ("deploy", False)]
        assert datetime.fromisoformat(rows[0]["published_at"]).tzinfo == UTC
        assert len(run("history", "--json", "-n", "1").stdout.splitlines()) == 1

    def test_without_a_publication_it_says_so(self, firestore):  # noqa: ARG002
        assert run("history").stdout == "No catalog was published yet.\n"
        assert run("history", "--json").stdout == ""

    def test_a_name_with_markup_is_told_as_it_is(self, firestore):
        publish_catalog(firestore, compile_catalog(SALE), by="[red]ada[/red]")
        assert "[red]ada[/red]" in run("history").stdout


class TestShowAndDiff:
    def test_what_was_published_is_shown_by_number_by_version_and_as_the_current_one(self, firestore):
        first, second = compile_catalog(SALE), compile_catalog({**SALE, "kill_switch": True})
        number = publish_catalog(firestore, first)
        publish_catalog(firestore, second)
        for name in (str(number), first.version):
            assert run("show", name).stdout.startswith(f"Version {first.version}\n")
        for words in (("show",), ("show", "current")):
            assert run(*words).stdout.startswith(f"Version {second.version}\n")
        assert told("diff", str(number), "current")["entries"][0]["section"] == "kill_switch"

    def test_a_file_is_compared_with_what_is_in_force(self, firestore, write):
        publish_catalog(firestore, compile_catalog(SALE))
        assert not told("diff", "current", write(SALE))["differ"]
        assert told("diff", "current", write({}))["differ"]

    @pytest.mark.parametrize(
        "words", [("show",), ("diff", "current", "current"), ("show", "5"), ("show", "a" * 16)]
    )
    def test_what_is_not_there_is_a_usage_error(self, firestore, words):  # noqa: ARG002
        done = run(*words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "error: expected " in done.stderr

    def test_a_stored_catalog_that_this_version_refuses_is_told_with_its_problems(self, firestore):
        firestore.document(f"catalog/{'a' * 16}").set({"catalog": {"offers": 5}})
        done = run("show", "a" * 16)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"error: catalog/{'a' * 16}: invalid catalog:\n  offers: expected" in done.stderr


class TestRollback:
    def test_it_puts_the_catalog_before_in_force_again_and_tells_it(self, firestore, heard):
        good = compile_catalog(SALE)
        first = publish_catalog(firestore, good)
        second = publish_catalog(firestore, compile_catalog({**SALE, "kill_switch": True}))
        done = told("rollback")
        assert done["version"] == good.version
        assert done["number"] > second > first
        assert [each["section"] for each in done["entries"]] == ["kill_switch"]
        (message,) = heard()
        assert (message["catalog_version"], message["number"]) == (good.version, done["number"])
        assert message["published_by"] == f"catalog rollback by {getuser()}"
        newest = history(firestore)[0]
        assert (newest.version, newest.number, newest.in_force) == (good.version, done["number"], True)

    def test_the_difference_comes_first_and_then_what_stays_open(self, firestore, bus):  # noqa: ARG002
        publish_catalog(firestore, compile_catalog({}))
        publish_catalog(firestore, compile_catalog(SALE))
        lines = run("rollback").stdout.splitlines()
        assert lines[0].startswith("before ")
        closing = [line for line in lines if line.startswith("What is open")]
        assert lines.index("  - sale") < lines.index(closing[0])
        assert lines[-1].strip() == f"{again()} catalog recall sale"

    def test_a_second_one_takes_the_first_back(self, firestore, bus):  # noqa: ARG002
        first, second = compile_catalog(SALE), compile_catalog({})
        for catalog in (first, second):
            publish_catalog(firestore, catalog)
        assert [told("rollback")["version"] for _ in range(3)] == [first.version, second.version, first.version]

    @pytest.mark.parametrize("by", ["number", "version"])
    def test_any_earlier_one_is_named_by_number_or_version(self, firestore, bus, by):  # noqa: ARG002
        catalogs = [compile_catalog({"milestones": {"lapsed": [day]}}) for day in (1, 2, 3)]
        numbers = [publish_catalog(firestore, catalog) for catalog in catalogs]
        name = str(numbers[0]) if by == "number" else catalogs[0].version
        assert told("rollback", name)["version"] == catalogs[0].version

    def test_a_dry_run_writes_nothing(self, firestore, heard):
        for content in (SALE, {}):
            publish_catalog(firestore, compile_catalog(content))
        before = everything(firestore)
        assert told("rollback", "--dry-run")["published"] is False
        assert run("rollback", "--dry-run").stdout.endswith("Nothing is published (dry run).\n")
        assert everything(firestore) == before
        assert heard() == []

    @pytest.mark.parametrize("name", [[], ["current"], ["5"], ["../x"], ["f" * 16], [""]])
    def test_to_nothing_it_is_a_usage_error(self, firestore, name):
        publish_catalog(firestore, compile_catalog(SALE))
        before = everything(firestore)
        done = run("rollback", *name)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "error: expected " in done.stderr
        assert everything(firestore) == before

    def test_to_the_one_in_force_it_is_refused(self, firestore):
        publish_catalog(firestore, compile_catalog(SALE))
        version = compile_catalog(SALE).version
        for name in (version, str(history(firestore)[0].number)):
            done = run("rollback", name)
            assert (done.exit_code, done.stderr) == (
                2,
                f"error: expected an earlier catalog, found {version}, which is in force\n",
            )

    def test_to_one_whose_score_is_gone_it_is_refused(self, firestore):
        first = publish_catalog(firestore, compile_catalog(WITH_SCORE))
        publish_catalog(firestore, compile_catalog({}))
        before = everything(firestore)
        done = run("rollback", str(first))
        assert done.exit_code == 2
        assert (
            "scores.risk.version: expected a valid scores/risk.1 in Firestore, found no such artifact"
            in done.stderr
        )
        assert everything(firestore) == before

    def test_to_one_whose_policy_no_longer_fits_it_is_refused(self, firestore):
        first = publish_catalog(firestore, compile_catalog(WITH_POLICY))
        publish_catalog(firestore, compile_catalog({}))
        firestore.document("policies/bandit").set({"policy": '{"arms": {"z": 1.0}, "policy_version": "1"}'})
        done = run("rollback", str(first))
        assert done.exit_code == 2
        assert "experiments.price.policy: expected a valid policies/bandit in Firestore, found " in done.stderr

    @pytest.mark.parametrize(
        "content", [{"offers": 5}, {"unheard_of": {}}, {"audiences": {"a": {"all": [{"b": "("}]}}}]
    )
    def test_to_one_that_this_version_refuses_it_is_refused(self, firestore, content):
        publish_catalog(firestore, compile_catalog({}))
        firestore.document("catalog/v1").set({"catalog": content})
        done = run("rollback", "v1")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "error: catalog/v1: invalid catalog:\n" in done.stderr

    def test_from_one_that_this_version_refuses_it_works(self, firestore, bus):  # noqa: ARG002
        publish_catalog(firestore, compile_catalog(SALE))
        firestore.document("catalog/v1").set({"catalog": {"offers": 5}})
        firestore.document("catalog/current").set({"version": "v1", "number": 1})
        done = told("rollback", compile_catalog(SALE).version)
        assert (done["published"], done["before"]) == (True, {"file": "in force", "version": "v1"})
        assert history(firestore)[0].version == compile_catalog(SALE).version

    def test_what_was_published_meanwhile_is_not_undone_unseen(self, firestore, bus, monkeypatch):  # noqa: ARG002
        for content in (SALE, {}):
            publish_catalog(firestore, compile_catalog(content))
        third = compile_catalog({"kill_switch": True})

        def meanwhile(*arguments):
            publish_catalog(firestore, third)
            return compare(*arguments)

        monkeypatch.setattr("infra.commands.publication_page.compare", meanwhile)
        done = run("rollback")
        assert done.exit_code == 1
        assert "error: catalog: expected publication " in done.stderr
        assert history(firestore)[0].version == third.version

    def test_without_a_topic_the_catalog_is_in_force_and_the_command_says_how_to_tell_it(self, firestore):
        for content in (SALE, {}):
            publish_catalog(firestore, compile_catalog(content))
        done = run("rollback")
        assert done.exit_code == 1
        assert "catalog-published was not sent" in done.stderr
        assert f"{again()} catalog announce" in done.stderr
        assert history(firestore)[0].version == compile_catalog(SALE).version
