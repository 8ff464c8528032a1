"""The demo's tour: replays the real history and the made-up story, and collects the results to show."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo.story import Chapter, Story
from infra.inspect import life_timeline
from infra.inspect.timeline import TimelineEntry
from infra.raw.folder import RAW
from infra.raw.reader import messages_about
from infra.replay.journal import SUBSCRIPTIONS
from infra.replay.outputs import messages
from infra.replay.part import Progress
from infra.replay.replay import Summary, replay
from shared.contracts.topics import Topic
from shared.queries.life import life

EVENTS = "events.jsonl"

Line = Mapping[str, Any]
"""A line of a history."""


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """The results of replaying a history of many users."""

    folder: Path
    summary: Summary
    users: Mapping[str, int]
    """The number of users in each status at the end, largest first."""
    campaigns: Mapping[str, Mapping[str, int]]
    """The number of triggers of each campaign by kind: `issued` and `revoked`."""
    user_id: str
    """The most eventful user, whose timeline is shown."""
    timeline: tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True)
class StoryResult:
    """The results of replaying a story: each chapter with its part of the timeline."""

    folder: Path
    summary: Summary
    user_id: str
    chapters: tuple[tuple[Chapter, tuple[TimelineEntry, ...]], ...]


def replay_history(folder: Path, events: Iterable[Line], progress: Progress) -> HistoryResult:
    """Replay a history of many users into a folder, and collect the results."""
    path = _write(folder, events)
    summary = replay(path, folder, DEFAULT_CATALOG, keep_store=True, progress=progress)
    user_id = most_eventful(folder)
    timeline = _timeline(user_id, folder)
    return HistoryResult(folder, summary, _users(folder), _campaigns(folder), user_id, timeline)


def replay_story(folder: Path, story: Story) -> StoryResult:
    """Replay a story into a folder, and divide its timeline into chapters."""
    path = _write(folder, story.events)
    summary = replay(path, folder, DEFAULT_CATALOG, story.ends_at, keep_store=True)
    entries = _timeline(story.user_id, folder)
    chapters = ((chapter, tuple(filter(chapter.includes, entries))) for chapter in story.chapters)
    return StoryResult(folder, summary, story.user_id, tuple(chapters))


def most_eventful(folder: Path) -> str:
    """The user with the most distinct statuses, triggers by campaign and kind, and loss reasons.

    Ties go to the user with the fewest changes, triggers and candidates, then to the first by id.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    totals: Counter[str] = Counter()
    for user_id, kind in _kinds(folder):
        kinds[user_id].add(kind)
        totals[user_id] += 1
    return min(kinds, key=lambda user_id: (-len(kinds[user_id]), totals[user_id], user_id))


def _timeline(user_id: str, folder: Path) -> tuple[TimelineEntry, ...]:
    """The life of a user as the replay's raw log tells it."""
    logged = messages_about(folder / RAW, user_id).messages
    return tuple(life_timeline.entries(life(user_id, logged, None)))


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
