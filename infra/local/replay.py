"""Replay: a file of events through the same functions, on a virtual clock, with the same output every time.

Users do not touch each other, so the file is shared out among processes by user, and what they wrote is merged.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from infra.local.journal import FILES, merge
from infra.local.processes_of_replay import run_parts
from infra.local.replay_part import STORE, SUBSCRIPTIONS, Assignment, Part, Progress
from shared.adapters.sqlite import merge_stores

SMALL_FILE = 300_000
"""Bytes up to which one process is done before a second would have started."""
SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file of events. `events_read` is the sum of the four counts after it."""

    events_read: int
    applied: int
    duplicates: int
    late: int
    dead_lettered: int
    triggers_issued: int
    triggers_revoked: int
    events_per_second: float
    now: datetime
    """Where the virtual clock stands at the end (UTC)."""
