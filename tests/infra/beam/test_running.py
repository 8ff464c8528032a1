"""Pipelines whose options make no sense, that fail, or that were killed."""

import pytest

from tests.support import beam

beam.required()

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import StandardOptions

from infra.beam.__main__ import main
from infra.beam.options import pipeline_options
from infra.beam.sorted_files import names_of
from infra.catalog.load import DEFAULT_CATALOG
from infra.errors import UsageError
from tests.support.replays import payment, trial, write

CATALOG = str(DEFAULT_CATALOG)
IN_PROCESS = ("--", "--runner=FnApiRunner")


@pytest.fixture
def events(tmp_path):
    (tmp_path / "in").mkdir()
    return write(tmp_path / "in" / "events.jsonl", [trial(), payment()])


def whatif(events, out, *words):
    return main(["whatif", str(events), "--from", CATALOG, "--to", CATALOG, "--out", str(out), *words])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--", "--runner=NoRunner"), "NoRunner"),
        (("--", "--no_such_option=3"), "expected options of Beam after --, found --no_such_option"),
        (("--", "--runner=FnApiRunner", "loose"), "expected options of Beam after --, found 'loose'"),
        (("--", "--direct_num_workers=many"), "expected options of Beam after --"),
        (("--", "--runner=DataflowRunner", "--region=europe-west1"), "project"),
        (("--now", "tomorrow"), "--now: expected an RFC 3339 time"),
        (("--switch-at", "2026"), "--switch-at: expected an RFC 3339 time"),
    ],
)
def test_options_are_checked_before_anything_runs(words, problem, events, tmp_path, capsys):
    assert whatif(events, tmp_path / "out.json", *words) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_a_source_and_a_catalog_that_are_missing_are_named(events, tmp_path, capsys):
    assert whatif(tmp_path / "missing", tmp_path / "out.json", *IN_PROCESS) == 2
    assert f"error: {tmp_path}/missing: expected a raw log" in capsys.readouterr().err
    assert whatif(events, tmp_path / "out.json", "--to", "missing.yaml", *IN_PROCESS) == 2
    assert "missing.yaml: expected a catalog, found none that can be read" in capsys.readouterr().err
    (tmp_path / "bad.yaml").write_text("offers: 3")
    assert whatif(events, tmp_path / "out.json", "--to", str(tmp_path / "bad.yaml"), *IN_PROCESS) == 2
    assert "offers: expected" in capsys.readouterr().err


def test_without_a_runner_a_large_input_takes_all_processors_and_a_small_one_a_single_process():
    small, large = pipeline_options([], 1000).get_all_options(), pipeline_options([], 10**9).get_all_options()
    assert (small["direct_running_mode"], large["direct_running_mode"]) == ("in_memory", "multi_processing")
    named = pipeline_options(["--runner=DirectRunner"], 10**9)
    assert named.view_as(StandardOptions).runner == "DirectRunner"
    with pytest.raises(UsageError):
        pipeline_options(["--runnr=DirectRunner"], 0)


def test_a_file_appears_only_whole_and_a_second_run_gives_it(events, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.json"
    rename = FileSystems.rename

    def killed(_sources, _targets):
        raise OSError("no space left")

    monkeypatch.setattr(FileSystems, "rename", killed)
    assert whatif(events, out, *IN_PROCESS) == 1
    assert "error: the pipeline failed: " in capsys.readouterr().err
    (draft,) = (file for file in tmp_path.iterdir() if file.is_file())
    assert draft.name.startswith("out.json.draft-")
    monkeypatch.setattr(FileSystems, "rename", rename)
    assert whatif(events, out, *IN_PROCESS) == 0
    assert [file for file in tmp_path.iterdir() if file.is_file()] == [out]
    before = out.read_bytes()
    assert whatif(events, out, *IN_PROCESS) == 0
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("out", "shards", "names"),
    [
        ("a/rows.jsonl", 1, ["a/rows.jsonl"]),
        ("gs://b.c/rows.jsonl", 2, ["gs://b.c/rows-00000-of-00002.jsonl", "gs://b.c/rows-00001-of-00002.jsonl"]),
        ("gs://b.c/rows", 2, ["gs://b.c/rows-00000-of-00002", "gs://b.c/rows-00001-of-00002"]),
    ],
)
def test_files_are_numbered_before_their_ending(out, shards, names):
    assert names_of(out, shards) == names
