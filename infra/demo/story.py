"""The made-up story of the demo: one user, in chapters, each with its events and its expected triggers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from infra.inspect.timeline import TimelineEntry

STORY = Path(__file__).with_name("story.yaml")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: the time from `begins_at` until the next chapter begins."""

    title: str
    text: str
    begins_at: datetime
    ends_at: datetime
    triggers: tuple[str, ...]
    """The campaigns that must each issue a trigger, in order."""

    def includes(self, entry: TimelineEntry) -> bool:
        """True if a timeline entry belongs to this chapter."""
        return self.begins_at <= entry.at < self.ends_at


@dataclass(frozen=True, slots=True)
class Story:
    """The story of one user."""

    user_id: str
    chapters: tuple[Chapter, ...]
    ends_at: datetime
    events: tuple[Mapping[str, Any], ...]
    """The events as lines of a history."""


def load() -> Story:
    """Load the story from `story.yaml` in this folder."""
    content = yaml.safe_load(STORY.read_text())
    return Story(content["user"], tuple(_chapters(content)), content["ends_at"], tuple(_lines(content)))


def _chapters(content: Mapping[str, Any]) -> Iterator[Chapter]:
    """The chapters. Each ends when the next one begins, and the last one at the end of the story."""
    chapters = content["chapters"]
    ends = [*(chapter["begins_at"] for chapter in chapters[1:]), content["ends_at"]]
    for chapter, end in zip(chapters, ends, strict=True):
        triggers = tuple(chapter.get("triggers", ()))
        yield Chapter(chapter["title"], chapter["text"], chapter["begins_at"], end, triggers)


def _lines(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Each event as a line of a history, with the user, its time, and a numbered id."""
    events = [event for chapter in content["chapters"] for event in chapter.get("events", ())]
    for number, event in enumerate(events, start=1):
        ((topic, facts),) = ((name, facts) for name, facts in event.items() if name != "at")
        common = {"event_id": f"story-{number}", "user_id": content["user"], "occurred_at": event["at"]}
        yield {"topic": topic, "data": {**common, **facts}}
