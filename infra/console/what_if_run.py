"""A what-if study that the console runs: the last users of the raw log, with all their events, under two catalogs.

It runs as a process of its own, by the command `whatif`: replaying takes a processor for seconds.
"""

import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from infra.catalog.written import write_catalog
from infra.console.sources import Sources
from infra.errors import InfraError
from infra.raw.follower import Follower, LogMessage
from infra.replay.history_line import PRODUCER_TOPICS, to_line
from infra.topology import ROOT
from infra.whatif.result import WhatIf
from shared.contracts.outbound.base import rfc3339
from shared.decisioning.catalog import Catalog

MOST_EVENTS = 2000
"""The most events of a study: a few seconds of work."""
MOST_SECONDS = 120
"""After this time a study is stopped."""
KEPT = 8
"""The studies that are kept, newest first."""
_study = TypeAdapter(WhatIf)


@dataclass
class Run:
    """One study: running, done, or failed."""

    before: Catalog
    after: Catalog
    events: int
    users: int
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    """The seconds that it took; None while it runs."""
    result: WhatIf | None = None
    problem: str = ""

    @property
    def is_running(self) -> bool:
        """True until there is a result or a problem."""
        return self.seconds is None

    @property
    def elapsed(self) -> float:
        """Seconds since it began; all that it took, once it has ended."""
        return time.monotonic() - self.began if self.seconds is None else self.seconds


class Runs:
    """The studies of one console: one at a time, the newest few are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    def get(self, name: str) -> Run | None:
        """A study by its name; None if it is no longer kept."""
        return self._runs.get(name)

    def start(self, sources: Sources, before: Catalog, after: Catalog) -> str:
        """Begin a study in the background; its name. Raises `InfraError` if nothing can be studied now."""
        if sources.log is None:
            raise InfraError("there is no raw log whose events could be replayed")
        sources.log.refresh()
        lives = last_lives(sources.log)
        if not lives:
            raise InfraError("the raw log holds no events that could be replayed")
        run = Run(before, after, sum(map(len, lives.values())), len(lives))
        name = secrets.token_urlsafe(8)
        with self._lock:
            if any(one.is_running for one in self._runs.values()):
                raise InfraError("another what-if is running: wait until it is done")
            self._runs = {name: run, **dict([*self._runs.items()][: KEPT - 1])}
        lines = b"".join(sorted_lines(lives))
        threading.Thread(target=_work, args=(run, sources, lines, sources.now()), daemon=True).start()
        return name


def last_lives(log: Follower) -> Mapping[str, Sequence[LogMessage]]:
    """All events of the users of the newest messages, as many users as make at most `MOST_EVENTS` events.

    Whole lives, since a life whose beginning is missing would be decided wrongly.
    """
    lives: dict[str, Sequence[LogMessage]] = {}
    left = MOST_EVENTS
    for user in dict.fromkeys(message.user_id for message in reversed(log.recent())):
        events = [one for one in log.about(user) if one.topic in PRODUCER_TOPICS] if user else []
        if user and events and len(events) <= left:
            lives[user] = events
            left -= len(events)
    return lives


def sorted_lines(lives: Mapping[str, Sequence[LogMessage]]) -> Iterator[bytes]:
    """The events as lines of a history, in the order of their publication."""
    events = (message for life in lives.values() for message in life)
    for message in sorted(events, key=lambda one: one.landed.publish_time):
        landed = message.landed
        yield to_line(message.topic, landed.data, landed.attributes, landed.publish_time)


def _work(run: Run, sources: Sources, lines: bytes, now: datetime) -> None:
    try:
        with TemporaryDirectory(prefix="upbeat-console-") as folder:
            run.result = _studied(Path(folder), run, sources, lines, now)
    except InfraError as error:
        run.problem = str(error)
    except subprocess.TimeoutExpired:
        run.problem = f"it took more than {MOST_SECONDS} s and was stopped"
    except OSError as error:
        run.problem = f"it cannot be run: {error}"
    finally:
        run.seconds = time.monotonic() - run.began


def _studied(folder: Path, run: Run, sources: Sources, lines: bytes, now: datetime) -> WhatIf:
    events = folder / "events.jsonl"
    events.write_bytes(lines)
    before = write_catalog(folder / "before", run.before, sources.catalogs.artifact)
    after = write_catalog(folder / "after", run.after, sources.catalogs.artifact)
    options = ("--from", str(before), "--to", str(after), "--now", rfc3339(now), "--json")
    command = [sys.executable, "-m", "infra", "whatif", str(events), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=MOST_SECONDS, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise InfraError(
            done.stderr.decode(errors="replace").strip()[-1000:] or f"it ended with {done.returncode}"
        )
    try:
        return _study.validate_json(done.stdout)
    except ValidationError as error:
        raise InfraError(f"expected the result of a what-if, found something else: {error}") from error
