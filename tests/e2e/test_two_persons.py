"""No command puts a catalog in force that one person alone answers for, where two must agree."""

import json
import re

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.console.catalogs import PublishedCatalogs
from infra.console.sources import Running
from infra.remote.catalog_history import current_publication, history
from infra.remote.firestore import publish_catalog
from infra.remote.proposals import proposal
from shared.decisioning.compile import compile_catalog
from tests.support import consoles
from tests.support.consoles import text_of

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("bus")]
OLD, NEW = compile_catalog({"time_zone": "Asia/Tokyo"}), compile_catalog({"time_zone": "Europe/Paris"})


def run(*words):
    return CliRunner().invoke(app, ["catalog", *map(str, words)])


def told(*words):
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def in_force(firestore):
    return current_publication(firestore).version


@pytest.fixture(params=["the project", "the environment"])
def rule(request, firestore, monkeypatch):
    """Two persons must agree, as the project or the environment says."""
    if request.param == "the project":
        firestore.document("settings/catalog").set({"needs_approval": True})
    else:
        monkeypatch.setenv("UPBEAT_CATALOG_APPROVAL", "true")


@pytest.fixture
def project_rule(firestore):
    firestore.document("settings/catalog").set({"needs_approval": True})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "new.yaml"
    path.write_text(NEW.to_json())
    return path


@pytest.mark.usefixtures("rule")
def test_publish_proposes_and_another_person_puts_it_in_force(firestore, file):
    publish_catalog(firestore, OLD)
    waiting = told("publish", file, "--by", "ada")
    assert (waiting["published"], waiting["waits"], in_force(firestore)) == (False, True, OLD.version)
    assert run("approve", NEW.version, "--by", "Ada", "--yes").exit_code == 2
    assert run("approve", NEW.version, "--by", "bob", "--yes").exit_code == 0
    newest = history(firestore)[0]
    assert (newest.version, newest.by, newest.approved_by) == (NEW.version, "ada", "bob")


@pytest.mark.usefixtures("project_rule")
class TestPublish:
    def test_who_proposes_what_waits_is_its_author_beside_the_first(self, firestore, file):
        publish_catalog(firestore, OLD)
        for name in ("ada", "bob"):
            told("publish", file, "--by", name)
        assert proposal(firestore, NEW.version).authors == ("ada", "bob")

    def test_without_a_name_nothing_is_proposed(self, firestore, file, monkeypatch):
        monkeypatch.setattr("infra.commands.catalog_publish.user_name", lambda: "")
        publish_catalog(firestore, OLD)
        done = run("publish", file)
        assert (done.exit_code, "--by: expected the name" in done.stderr) == (2, True)

    def test_an_emergency_goes_at_once_and_stays_on_record(self, firestore, file):
        publish_catalog(firestore, OLD)
        assert told("publish", file, "--emergency", "the  prices\nare wrong")["published"]
        newest = history(firestore)[0]
        assert (newest.version, newest.approved_by, newest.emergency) == (
            NEW.version,
            None,
            "the prices are wrong",
        )
        assert "nobody: the prices are wrong" in " ".join(run("history").stdout.split())
        rows = [json.loads(line) for line in run("history", "--json").stdout.splitlines()]
        assert [row["emergency"] for row in rows] == ["the prices are wrong", None]

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
    def test_an_emergency_without_a_reason_is_none(self, firestore, file, reason):
        publish_catalog(firestore, OLD)
        done = run("publish", file, "--emergency", reason)
        assert (done.exit_code, "--emergency: expected a reason of 1 to 300" in done.stderr) == (2, True)
        assert in_force(firestore) == OLD.version

    def test_the_first_catalog_replaces_none_and_needs_nobody(self, firestore, file):
        assert told("publish", file, "--if-none")["published"]
        assert in_force(firestore) == NEW.version

    def test_without_if_none_the_first_waits_as_well(self, firestore, file):
        assert told("publish", file)["waits"]
        assert current_publication(firestore) is None

    def test_a_dry_run_says_that_it_would_wait(self, firestore, file):
        publish_catalog(firestore, OLD)
        assert told("publish", file, "--dry-run")["waits"]
        assert "It would wait for another person's approval." in run("publish", file, "--dry-run").stdout
        assert not told("publish", file, "--dry-run", "--emergency", "x")["waits"]

    def test_a_policy_in_use_is_not_replaced_by_what_waits(self, firestore, tmp_path):
        variants = [{"id": "a", "offer": "any"}, {"id": "b", "offer": None}]
        document = {
            "offers": {"any": {"cms_ref": "x", "validity_hours": 1}},
            "experiments": {"price": {"policy": "bandit", "variants": variants}},
        }
        file, policy = tmp_path / "new.yaml", tmp_path / "policies" / "bandit.json"
        policy.parent.mkdir()
        file.write_text(json.dumps(document))
        policy.write_text('{"arms": {"a": 0.5, "b": 0.5}, "policy_version": "1"}')
        other = '{"arms": {"a": 1.0, "b": 0.0}, "policy_version": "0"}'
        firestore.document("policies/bandit").set({"policy": other})
        publish_catalog(firestore, OLD)
        done = run("publish", file, "--by", "ada")
        assert done.exit_code == 2
        assert "policies/bandit: expected the content that is published" in " ".join(done.stderr.split())
        assert run("publish", file, "--dry-run").exit_code == 1
        assert not firestore.document(f"proposals/{compile_catalog(document).version}").get().exists


@pytest.mark.usefixtures("project_rule")
class TestRollback:
    def test_to_an_approved_version_it_goes_at_once_and_says_who_approved(self, firestore):
        publish_catalog(firestore, OLD, approved_by="bob")
        publish_catalog(firestore, NEW, by="ada", approved_by="in the CMS: bob")
        told("rollback", OLD.version, "--by", "ada")
        told("rollback", "--by", "ada")
        assert [(each.version, each.approved_by) for each in history(firestore)][:2] == [
            (NEW.version, "in the CMS: bob"),
            (OLD.version, "bob"),
        ]

    def test_to_one_that_nobody_approved_it_needs_an_emergency(self, firestore):
        publish_catalog(firestore, OLD)
        publish_catalog(firestore, NEW, approved_by="bob")
        for more in ((), ("--dry-run",)):
            refused = run("rollback", *more)
            assert refused.exit_code == 2
            assert "expected a catalog that a second person has approved" in refused.stderr
            assert "--emergency REASON" in refused.stderr
        assert in_force(firestore) == NEW.version
        assert told("rollback", "--emergency", "nobody can pay")["published"]
        assert (in_force(firestore), history(firestore)[0].emergency) == (OLD.version, "nobody can pay")

    def test_the_console_keeps_to_the_rule(self, firestore, bus):
        publish_catalog(firestore, OLD)
        publish_catalog(firestore, NEW)
        sources = consoles.sources(
            catalogs=PublishedCatalogs(firestore), running=Running(bus, firestore, clock=None, project=None)
        )
        client = consoles.client(sources, may_write=True)
        page = client.get("/catalog/diff", params={"before": NEW.version, "after": OLD.version}).text
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        refused = client.post("/catalog/rollback", data=fields)
        assert (refused.status_code, "a second person has approved" in text_of(refused.text)) == (400, True)
        assert in_force(firestore) == NEW.version
        assert client.post("/catalog/rollback", data=fields | {"emergency": "  wrong  prices "}).status_code == 200
        assert (in_force(firestore), history(firestore)[0].emergency) == (OLD.version, "wrong prices")
        assert "approved by nobody: wrong prices" in text_of(client.get("/catalog").text)


@pytest.mark.usefixtures("project_rule")
def test_sync_cannot_do_without_what_the_project_demands(tmp_path):
    (tmp_path / "settings.yaml").write_text("time_zone: Europe/Paris")
    assert told("sync", tmp_path, "--no-approval", "--by", "ada")["outcome"] == "waiting"


def test_a_setting_that_is_neither_true_nor_false_is_told(firestore, file, monkeypatch):
    publish_catalog(firestore, OLD)
    monkeypatch.setenv("UPBEAT_CATALOG_APPROVAL", "yes")
    done = run("publish", file)
    assert (done.exit_code, "UPBEAT_CATALOG_APPROVAL: expected true or false" in done.stderr) == (2, True)
