"""The made-up story of the demo: one user in chapters, each with its events and the triggers it must bring."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from infra.inspect.timeline import Entry

STORY = Path(__file__).with_name("story.yaml")


@dataclass(frozen=True, slots=True)
class Chapter:
    """What happens from one instant until the next chapter begins."""

    title: str
    told: str
    begins_at: datetime
    ends_at: datetime
    triggers: tuple[str, ...]
    """The campaigns that must issue a trigger, in order."""

    def includes(self, entry: Entry) -> bool:
        """Whether a part of the timeline belongs into this chapter."""
        return self.begins_at <= entry.at < self.ends_at


@dataclass(frozen=True, slots=True)
class Story:
    """One user's story."""

    user_id: str
    chapters: tuple[Chapter, ...]
    ends_at: datetime
    events: tuple[Mapping[str, Any], ...]
    """As lines of a replay."""


def load() -> Story:
    """The story in the file beside this one."""
    written = yaml.safe_load(STORY.read_text())
    return Story(written["user"], tuple(_chapters(written)), written["ends_at"], tuple(_lines(written)))


def _chapters(written: Mapping[str, Any]) -> Iterator[Chapter]:
    """The chapters; each ends where the next begins, and the last with the story."""
    chapters = written["chapters"]
    ends = [*(each["begins_at"] for each in chapters[1:]), written["ends_at"]]
    for each, end in zip(chapters, ends, strict=True):
        yield Chapter(each["title"], each["told"], each["begins_at"], end, tuple(each.get("triggers", ())))


def _lines(written: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Each event with the user, its time, and an id that counts the events."""
    events = [event for chapter in written["chapters"] for event in chapter.get("events", ())]
    for number, event in enumerate(events, start=1):
        ((topic, facts),) = ((name, facts) for name, facts in event.items() if name != "at")
        common = {"event_id": f"story-{number}", "user_id": written["user"], "occurred_at": event["at"]}
        yield {"topic": topic, "data": {**common, **facts}}
