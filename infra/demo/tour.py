"""The tour of the demo: both histories replayed, and what there is to tell of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo.story import Chapter, Story
from infra.inspect.timeline import Entry
from infra.replay.outputs import messages, timeline_of
from infra.replay.part import SUBSCRIPTIONS, Progress
from infra.replay.replay import Summary, replay
from shared.contracts.topics import Topic

EVENTS = "events.jsonl"

Line = Mapping[str, Any]
"""A line of a replay."""


@dataclass(frozen=True, slots=True)
class History:
    """What came of a history of many users."""

    folder: Path
    summary: Summary
    users: Mapping[str, int]
    """How many users ended up in each status."""
    campaigns: Mapping[str, Mapping[str, int]]
    """How many triggers of each campaign were issued, and how many revoked."""
    user_id: str
    """The user whose story has most kinds of things in it."""
    timeline: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a story: each chapter with its part of the timeline."""

    folder: Path
    summary: Summary
    user_id: str
    chapters: tuple[tuple[Chapter, tuple[Entry, ...]], ...]


def history(folder: Path, events: Iterable[Line], progress: Progress) -> History:
    """Replay a history of many users into a folder."""
    path = _write(folder, events)
    summary = replay(path, folder, DEFAULT_CATALOG, keep_store=True, progress=progress)
    user_id = most_eventful(folder)
    timeline = tuple(timeline_of(user_id, path, folder))
    return History(folder, summary, _users(folder), _campaigns(folder), user_id, timeline)


def told_story(folder: Path, tale: Story) -> Told:
    """Replay a story into a folder."""
    path = _write(folder, tale.events)
    summary = replay(path, folder, DEFAULT_CATALOG, tale.ends_at, keep_store=True)
    entries = timeline_of(tale.user_id, path, folder)
    chapters = ((chapter, tuple(filter(chapter.includes, entries))) for chapter in tale.chapters)
    return Told(folder, summary, tale.user_id, tuple(chapters))


def most_eventful(folder: Path) -> str:
    """The user of whom most kinds of things can be told: statuses, campaigns, and reasons against an offer.

    Of several the one with the shortest story, then the first by id.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    told: Counter[str] = Counter()
    for user_id, kind in _kinds(folder):
        kinds[user_id].add(kind)
        told[user_id] += 1
    return min(kinds, key=lambda user_id: (-len(kinds[user_id]), told[user_id], user_id))


def _kinds(folder: Path) -> Iterable[tuple[str, str]]:
    for change in messages(folder, Topic.SUBSCRIPTION_CHANGE):
        yield change["user_id"], change["after"]["status"]
    for trigger in messages(folder, Topic.UPSELL_TRIGGER):
        yield trigger["user_id"], f"{trigger['campaign_id']} {trigger['kind']}"
    for decision in messages(folder, Topic.DECISION):
        for candidate in decision["candidates"]:
            yield decision["user_id"], str(candidate["reason"])


def _write(folder: Path, events: Iterable[Line]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EVENTS
    with path.open("wb") as file:
        file.writelines(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events)
    return path


def _users(folder: Path) -> Mapping[str, int]:
    with (folder / SUBSCRIPTIONS).open("rb") as lines:
        counts = Counter(orjson.loads(line)["status"] for line in lines)
    return dict(counts.most_common())


def _campaigns(folder: Path) -> Mapping[str, Mapping[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for trigger in messages(folder, Topic.UPSELL_TRIGGER):
        counts[trigger["campaign_id"]][trigger["kind"]] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1]["issued"], item[0])))
