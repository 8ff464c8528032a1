import json

import pytest

from infra.demo import cdnow
from infra.demo.story import load
from infra.terminal.invocation import again
from tests.infra.commands.pages import NARROW


@pytest.fixture
def few_purchases(tmp_path, monkeypatch):
    """The demo in short: the purchases of the first days."""
    lines = cdnow.PURCHASES.read_text().splitlines(keepends=True)
    few = tmp_path / "few.csv"
    few.write_text("".join(lines[:40]))
    monkeypatch.setattr(cdnow, "PURCHASES", few)


@pytest.mark.usefixtures("few_purchases")
def test_the_demo_tells_both_histories_within_80_columns_and_without_colour(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("demo", env=NARROW)
    assert done.exit_code == 0
    assert done.stderr == ""
    assert "39 purchases of" in done.stdout
    titles = [f"{number}. {chapter.title}" for number, chapter in enumerate(load().chapters, start=1)]
    assert [line for line in done.stdout.splitlines() if line in titles] == titles
    assert "\x1b" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert f"  {again()} show listener-1 --store out/demo/story\n" in done.stdout
    assert f"  {again()} report campaigns out/demo/cdnow\n" in done.stdout


@pytest.mark.usefixtures("few_purchases")
def test_in_a_pipe_each_entry_of_a_timeline_is_one_line_without_trailing_spaces(run, tmp_path, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = run("demo", "--out", str(tmp_path / "out")).stdout.splitlines()
    assert any(len(line) > 80 and line.endswith(", plan premium_monthly") for line in lines)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.usefixtures("few_purchases")
def test_as_json_the_demo_tells_the_same(run, tmp_path):
    told = json.loads(run("demo", "--out", str(tmp_path / "out"), "--json").stdout)
    assert told["history"]["summary"]["applied"] == 39
    assert told["history"]["timeline"][0].keys() == {"at", "kind", "text"}
    assert [chapter["title"] for chapter in told["story"]["chapters"]] == [it.title for it in load().chapters]
    assert told["story"]["chapters"][0]["timeline"][0]["at"] == "2026-01-05T09:00:00Z"


@pytest.mark.usefixtures("few_purchases")
def test_what_the_demo_kept_can_be_shown(run, tmp_path):
    run("demo", "--out", str(tmp_path / "out"))
    assert run("show", "listener-1", "--store", str(tmp_path / "out" / "story")).exit_code == 0
    told = run("report", "campaigns", str(tmp_path / "out" / "story"), "--no-lift").stdout
    assert "payment_recovery" in told


def test_a_folder_that_cannot_be_written_into_is_a_failure(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("demo", "--out", str(tmp_path / "file"))
    assert done.exit_code == 1
    assert "expected a folder to write into" in done.stderr
