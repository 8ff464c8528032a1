"""Histories for the tests of pipelines: some lives with everything that a producer may send."""

from random import Random
from typing import Any

from tests.support.replays import GARBAGE, event, payment, signal, trial

USERS = 8
NO_JSON = [b"no JSON", b"[]", b"", b'{"topic": "nobody", "data": {"user_id": "u0"}}', b'{"topic": "payment"}']
OTHERS: list[Any] = [
    *GARBAGE,
    *NO_JSON,
    payment("u1", 20, event_id="sandbox", environment="sandbox"),
    payment("", 3),
    event("payment", "\ud800", 3, "surrogate"),
    {"topic": "trigger-feedback", "data": {"user_id": "u2", "trigger_id": "unknown", "kind": "clicked"}},
    payment("u\u00fc/ 4", 44),
]
AT_THE_END: list[Any] = [
    event("user-erasure", "u6", 150, "erasure"),
    payment("u6", 160, event_id="anew"),
    event("user-erasure", "u7", 150, "erasure"),
    payment("u3", 500, event_id="future") | {"publish_time": "2026-06-01T00:00:00Z"},
    payment("u4", 44, event_id="late") | {"publish_time": "2026-06-01T00:00:00Z"},
]


def history(seed: int = 1) -> list[Any]:
    """Lines of a history, not quite in the order of their times, with duplicates and lines that cannot be read."""
    lines = [line for number in range(USERS) for line in life(f"u{number}", number / 8)]
    lines.sort(key=lambda line: str(line["data"]["occurred_at"]))
    random = Random(seed)  # noqa: S311
    for line in OTHERS:
        lines.insert(random.randrange(len(lines)), line)
    for at in sorted(random.sample(range(len(lines)), 10), reverse=True):
        lines.insert(at + random.randrange(5), lines[at])
    return lines + AT_THE_END


def life(user: str, start: float) -> list[dict[str, Any]]:
    """A user who tries, pays, renews, and fails to pay or leaves."""
    paid = [payment(user, start + 14 + 30 * month, event_id=f"month-{month}") for month in range(4)]
    ends = signal(user, start + 110, "auto_renew_off", "off")
    return [trial(user, start, start + 14), *paid, payment(user, start + 134, "failed", event_id="failed"), ends]
