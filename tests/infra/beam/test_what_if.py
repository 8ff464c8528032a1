"""A what-if by a pipeline gives the bytes of one by processes, whatever the source, the blocks and the order."""

import json
from functools import cache
from random import Random

import pytest
import yaml

from tests.support import beam

beam.required()

import apache_beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that

from infra.beam import text_blocks
from infra.beam.__main__ import main
from infra.beam.lives import lives_of
from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.raw.folder import RAW
from infra.replay.journal import FILES
from infra.replay.life import steps_of
from infra.replay.replay import replay
from infra.replay.switch import Switch
from infra.replay.world import CatalogHistory, World
from infra.whatif.catalog_replay import CatalogReplay
from infra.whatif.result import facts_of
from infra.whatif.study import what_if
from shared.domain.terms import Terms
from shared.record.user_record import UserRecord
from tests.infra.beam.histories import history
from tests.support.replays import START, write

IN_PROCESS = ("--", "--runner=FnApiRunner")
SWITCH_AT = START.replace(month=3)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    return write(tmp_path_factory.mktemp("history") / "events.jsonl", history())


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """The default catalog with a lower cap, without one campaign, and with a new one."""
    content = yaml.safe_load(DEFAULT_CATALOG.read_text())
    content["campaigns"]["family_upgrade"]["cap"]["max"] = 1
    del content["campaigns"]["payment_recovery"]
    content["campaigns"]["first"] = {
        "offer": "annual_plan",
        "placement": "in_app_banner",
        "moments": ["renewed"],
        "priority": 90,
    }
    file = tmp_path_factory.mktemp("catalog") / "changed.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture(scope="module")
def by_processes(events, changed, tmp_path_factory):
    """The studies by processes, without and with a switch, as `upbeat whatif --json` prints them."""
    folder = tmp_path_factory.mktemp("replays")

    def told(name, switch_at):
        after = Switch(DEFAULT_CATALOG, changed, switch_at) if switch_at else changed
        sides = []
        for side, catalog, file in (("old", DEFAULT_CATALOG, DEFAULT_CATALOG), ("new", after, changed)):
            done = replay(events, folder / name / side, catalog, keep_store=True)
            sides.append(CatalogReplay(folder / name / side, done, load_catalog(file)))
        files = {"before": DEFAULT_CATALOG, "after": changed}
        versions = {
            side: {"file": str(file), "version": load_catalog(file).version} for side, file in files.items()
        }
        study = what_if(*sides, 2, switch_at)
        return json.dumps(
            facts_of(versions, sides[1].events_read, sides[1].summary.now, study), ensure_ascii=False
        )

    return {None: told("throughout", None), SWITCH_AT: told("switch", SWITCH_AT)}, folder


@cache
def world():
    return World(CatalogHistory(load_catalog(DEFAULT_CATALOG)), Terms())


def published(user, until, in_order):
    user_id = user[0].decode(errors="surrogatepass")
    steps = steps_of(UserRecord(user_id), in_order(user[1]), world(), until)
    return [json.dumps(json.loads(message.data)) for step in steps for message in step.messages]


def study(source, changed, out, *words):
    options = ("--from", str(DEFAULT_CATALOG), "--to", str(changed), "--out", str(out), "--examples", "2")
    assert main(["whatif", str(source), *options, *words, *IN_PROCESS]) == 0
    return out.read_text()


@pytest.mark.parametrize("switch_at", [None, SWITCH_AT])
def test_a_history_gives_the_same_bytes_as_by_processes(
    switch_at, events, changed, by_processes, tmp_path, monkeypatch
):
    monkeypatch.setattr(text_blocks, "BYTES", 1000)
    switch = ("--switch-at", switch_at.isoformat()) if switch_at else ()
    told = study(events, changed, tmp_path / "out.json", *switch)
    assert told == by_processes[0][switch_at] + "\n"
    assert json.loads(told)["campaigns"]["first"]["appear"]["examples"]
    assert [*tmp_path.iterdir()] == [tmp_path / "out.json"]


def test_a_raw_log_with_doubles_in_shuffled_files_gives_the_same_triggers(changed, by_processes, tmp_path):
    told, folder = by_processes
    raw = tmp_path / "raw"
    raw.mkdir()
    shuffled = Random(1)  # noqa: S311
    for file in (folder / "throughout" / "old" / RAW).glob("*.jsonl"):
        lines = file.read_bytes().splitlines(keepends=True)
        lines += lines[::3]
        shuffled.shuffle(lines)
        for shard in range(2):
            torn = b'{"message_id": "torn' if shard else b"no JSON\n"
            (raw / f"{file.stem}-{shard:012}.jsonl").write_bytes(b"".join(lines[shard::2]) + torn)
    by_log, by_history = (json.loads(text) for text in (study(raw, changed, tmp_path / "out.json"), told[None]))
    never_published = {"events_read", "dead_lettered"}  # a line that is no message never landed
    assert {name: by_log[name] for name in by_log.keys() - never_published} == {
        name: by_history[name] for name in by_history.keys() - never_published
    }


def test_the_lives_of_a_pipeline_publish_what_a_replay_writes(events, by_processes):
    written = sorted(
        json.dumps({name: value for name, value in json.loads(line).items() if name != "line"})
        for name in FILES.values()
        for line in (by_processes[1] / "throughout" / "old" / name).read_bytes().splitlines()
    )

    def check(found):
        assert sorted(found) == written

    with apache_beam.Pipeline(options=PipelineOptions([IN_PROCESS[1]])) as pipeline:
        lives = lives_of(pipeline, str(events))
        until = apache_beam.pvalue.AsSingleton(lives.until)
        assert_that(lives.users | apache_beam.FlatMap(published, until, lives.in_order), check)
    assert len(written) > 100
