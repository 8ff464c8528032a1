"""Rows to train on by a pipeline are those of the whole log on one machine."""

import json
from datetime import timedelta

import pytest

from tests.support import beam

beam.required()

from infra.analytics.training.outcomes import parse_outcome
from infra.analytics.training.replayed import feature_names
from infra.analytics.training.rows_file import read_rows
from infra.analytics.training.user_rows import TOPICS, Span, When, rows_of
from infra.beam.__main__ import main
from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.errors import UsageError
from infra.raw.folder import RAW
from infra.raw.reader import messages_of
from infra.replay.replay import replay
from shared.domain.terms import Terms
from tests.infra.beam.histories import history
from tests.support.replays import feedback, write

IN_PROCESS = ("--", "--runner=FnApiRunner")
CATALOG = load_catalog(DEFAULT_CATALOG)
NAMES = feature_names(CATALOG)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The raw log of a history in which users answer to their offers."""
    folder = tmp_path_factory.mktemp("replay")
    events, out = folder / "events.jsonl", folder / "out"
    replay(write(events, history()), out, DEFAULT_CATALOG)
    answers = feedback(json.loads(line) for line in (out / "triggers.jsonl").read_bytes().splitlines())
    replay(write(events, [*history(), *answers]), out, DEFAULT_CATALOG, keep_store=True)
    return out / RAW


@pytest.mark.parametrize(
    ("label", "words", "when"),
    [
        ("no-payment:20d", ("--every", "10"), {}),
        ("expired:30d", ("--entitled",), {"only_entitled": True}),
        ("clicked:7d", (), {}),
        ("payment:30d", ("--moment", "renewed", "--moment", "activated"), {"moments": ("renewed", "activated")}),
    ],
)
def test_the_rows_are_those_of_the_whole_log(label, words, when, raw, tmp_path, capsys):
    out = tmp_path / "rows.jsonl"
    assert main(["rows", str(raw), "--label", label, "--out", str(out), *words, *IN_PROCESS]) == 0
    messages = messages_of(raw, TOPICS).messages
    asked = When(timedelta(days=10 if "--every" in words else 30), **when)
    span = Span(messages[0].published_at, messages[-1].published_at)
    whole = rows_of(messages, span, parse_outcome(label), asked, CATALOG, Terms())
    read = read_rows(out, label, NAMES)
    assert [(row.order, row.label, row.snapshot.facts) for row in read] == [
        (row.order, row.label, json.loads(json.dumps(row.snapshot.facts))) for row in whole.rows
    ]
    assert len(read) > 5
    told = capsys.readouterr().err
    assert f"{whole.early:,} rows too early" in told or not whole.early
    assert f"{whole.checked:,} facts checked" in told or not whole.checked


def test_rows_of_another_label_are_refused(raw, tmp_path):
    out = tmp_path / "rows.jsonl"
    assert main(["rows", str(raw), "--label", "payment:30d", "--out", str(out), *IN_PROCESS]) == 0
    with pytest.raises(
        UsageError, match="line 1: expected a row of --label payment:31d, found one of payment:30d"
    ):
        read_rows(out, "payment:31d", NAMES)


@pytest.mark.parametrize("wrong", [("--label", "payment"), ("--label", "payment:30d", "--moment", "never")])
def test_what_makes_no_sense_is_refused_before_anything_is_read(wrong, tmp_path, capsys):
    assert main(["rows", str(tmp_path / "missing"), "--out", str(tmp_path / "rows"), *wrong]) == 2
    assert f"error: {wrong[-2]}: expected" in capsys.readouterr().err
