"""`catalog sync` and `catalog approve` on the emulators."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.raw.folder import RawLogWriter
from infra.raw.line import Landed, subscription_name
from infra.remote.catalog_history import current_publication, history
from infra.remote.firestore import publication_in_force
from shared.adapters.gcp.catalog_publisher import publish_catalog
from shared.decisioning.compile import compile_catalog
from tests.support.artifacts import logistic
from tests.support.syncs import NOON, SALE, changed, write_folder

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("bus")]


def run(*words):
    return CliRunner().invoke(app, ["catalog", *map(str, words)])


def told(*words, code=0):
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_a_folder_is_published_told_and_not_published_again(tmp_path, firestore):
    write_folder(tmp_path, SALE)
    first = told("sync", tmp_path, "--by", "ada")
    assert first["outcome"] == "published"
    current = current_publication(firestore)
    assert (current.version, current.number, current.by) == (
        *(first["version"], first["number"]),
        "sync from folder by ada",
    )
    assert told("sync", tmp_path)["outcome"] == "unchanged"
    write_folder(tmp_path, changed(SALE, "any", validity_hours=9))
    assert told("sync", tmp_path)["outcome"] == "published"
    assert [each.version for each in history(firestore)][1] == first["version"]
    assert history(firestore)[0].note.startswith("changed")


def test_a_number_grows_above_all_on_record(tmp_path, firestore):
    catalog = compile_catalog({"time_zone": "Asia/Tokyo"})
    far = NOON.replace(year=2090)
    number = publish_catalog(firestore, catalog, now=far)
    firestore.document("catalog/current").delete()
    write_folder(tmp_path, SALE)
    assert told("sync", tmp_path)["number"] == number + 1


def test_the_message_is_the_one_that_announce_sends(tmp_path, firestore, bus):
    write_folder(tmp_path, SALE)
    told("sync", tmp_path, "--by", "ada")
    (message,) = bus.receive("catalog-published")
    assert message.json == publication_in_force(firestore).message().body


def test_a_score_beside_the_entries_is_published_before_and_never_changed(tmp_path, firestore):
    write_folder(tmp_path, SALE)
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores/risk.yaml").write_text("version: 1")
    told("sync", tmp_path, code=1)
    score = json.dumps(logistic())
    (tmp_path / "scores/risk.1.json").write_text(score)
    assert told("sync", tmp_path)["outcome"] == "published"
    assert firestore.document("scores/risk.1").get().get("artifact") == score
    (tmp_path / "scores/risk.1.json").write_text(score + " ")
    assert "found different content" in told("sync", tmp_path, code=1)["mistakes"][0]["problem"]


def test_two_persons_put_a_catalog_in_force_and_the_history_shows_both(tmp_path, firestore):
    write_folder(tmp_path, SALE)
    waiting = told("sync", tmp_path, "--by", "Ada@example.com", "--needs-approval")
    assert waiting["outcome"] == "waiting"
    assert current_publication(firestore) is None
    version = waiting["version"]
    refused = run("approve", version, "--by", " ada@EXAMPLE.com", "--yes")
    assert refused.exit_code == 2
    assert "expected another person than an author" in refused.output
    assert "No what-if" in run("approve", version, "--by", "bob", "--dry-run").output
    assert current_publication(firestore) is None
    assert run("approve", version, "--by", "bob", "--yes").exit_code == 0
    (published,) = history(firestore)
    assert (published.version, published.by, published.approved_by) == (version, "Ada@example.com", "bob")
    assert "approved by" in run("history").output
    again = run("approve", version, "--by", "eve", "--yes")
    assert again.exit_code == 2
    assert "approved by bob" in again.output


@pytest.mark.parametrize("version", ["0123456789abcdef", "../catalog/current", "", "a" * 2000])
def test_nothing_waits_under_another_version(version):
    told_so = run("approve", version, "--by", "bob", "--yes")
    assert told_so.exit_code == 2
    assert "expected a catalog that awaits an approval, found none" in " ".join(told_so.output.split())


def test_the_setting_demands_two_persons(tmp_path, monkeypatch):
    monkeypatch.setenv("UPBEAT_CATALOG_APPROVAL", "true")
    write_folder(tmp_path, SALE)
    assert told("sync", tmp_path)["outcome"] == "waiting"


def test_the_preview_replays_the_last_week_of_the_raw_log(tmp_path, firestore):
    publish_catalog(firestore, compile_catalog({}), now=NOON)
    write_folder(tmp_path / "entries", SALE)
    version = told("sync", tmp_path / "entries", "--by", "ada", "--needs-approval")["version"]
    event = Path("docs/contracts/examples/payment/succeeded.json").read_bytes()
    with RawLogWriter(tmp_path / "log", ["payment"]) as log:
        name = subscription_name("any", "payment")
        log.append("payment", [Landed(name, "1", NOON, {}, event), Landed(name, "2", NOON, {}, b"no JSON")])
    seen = run("approve", version, "--by", "bob", "--raw", tmp_path / "log", "--dry-run")
    assert seen.exit_code == 0, seen.output
    assert "events, up to" in seen.output
    assert "Nothing is published (dry run)" in seen.output
