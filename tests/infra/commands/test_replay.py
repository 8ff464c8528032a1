import json

import pytest

from tests.support.replays import at, payment, trial, write

CATALOG = """
placements: {banner: {channel: in_app}}
ofers: {}
campaigns: {one: {offer: gone, placement: banner, moments: [renewd], priority: 1}}
"""


@pytest.fixture
def events(tmp_path):
    return write(tmp_path / "events.jsonl", [trial(), payment(days=13.5), b"garbage"])


def test_a_replay_says_what_it_read_and_where_it_wrote(run, events, tmp_path):
    done = run("replay", str(events), "--out", str(tmp_path / "out"), "--now", at(20))
    assert done.exit_code == 0
    read, triggers, speed, written = done.stdout.splitlines()
    assert read == "3 events read: 2 applied, 0 duplicates, 0 late, 0 ignored, 1 dead-lettered"
    assert triggers == "2 triggers issued, 2 revoked"
    assert speed.endswith("events per second; the clock ended at 2026-01-21 00:00 UTC")
    assert written.startswith(f"In {tmp_path / 'out'}: subscriptions, triggers,")
    assert done.stderr == ""


def test_as_json_it_prints_what_the_summary_holds(run, events, tmp_path):
    done = run("replay", str(events), "--out", str(tmp_path / "out"), "--json")
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "summary.json").read_bytes())


def test_another_catalog_decides_otherwise(run, events, tmp_path):
    catalog = tmp_path / "none.yaml"
    catalog.write_text("{}")
    done = run("replay", str(events), "--out", str(tmp_path / "out"), "--catalog", str(catalog), "--json")
    assert json.loads(done.stdout)["triggers_issued"] == 0


@pytest.mark.parametrize("now", ["tomorrow", "2026-01-01", "2026-01-01T00:00:00", "1969-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_a_usage_error(run, events, tmp_path, now):
    done = run("replay", str(events), "--out", str(tmp_path / "out"), "--now", now)
    assert done.exit_code == 2
    assert "--now: expected an RFC 3339 time with offset" in done.stderr
    assert f"found '{now}'" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_events_that_are_not_there_are_a_usage_error(run, tmp_path, name):
    done = run("replay", str(tmp_path / name), "--out", str(tmp_path / "out"))
    assert done.exit_code == 2
    assert "expected a file of events, found none that can be read" in done.stderr


def test_an_invalid_catalog_is_a_usage_error_that_names_every_problem(run, events, tmp_path):
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(CATALOG)
    done = run("replay", str(events), "--out", str(tmp_path / "out"), "--catalog", str(catalog))
    assert done.exit_code == 2
    assert "ofers: expected a known field (offers?)" in done.stderr
    assert "campaigns.one.moments[0]: expected one of trial.started," in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_catalog_that_is_not_there_is_a_usage_error(run, events, tmp_path):
    done = run("replay", str(events), "--out", str(tmp_path), "--catalog", str(tmp_path / "missing.yaml"))
    assert done.exit_code == 2
    assert "expected a catalog, found none that can be read" in done.stderr


def test_a_folder_that_cannot_be_written_into_is_a_failure(run, events):
    done = run("replay", str(events), "--out", str(events))
    assert done.exit_code == 1
    assert f"{events}: expected a folder to write into" in done.stderr


def test_there_is_at_least_one_process(run, events, tmp_path):
    assert run("replay", str(events), "--out", str(tmp_path / "out"), "--processes", "0").exit_code == 2
