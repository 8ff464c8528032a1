"""Benchmarks of parts: reading, folding and packing, a decision's clauses, and scores."""

import json
from datetime import UTC, datetime, timedelta

from shared.contracts.inbound.envelope import decode, parse_event
from shared.decisioning.compile import compile_catalog
from shared.decisioning.scoring.load import load_score
from shared.domain.history import RING_SIZE, History
from shared.domain.terms import Terms
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord
from tests.bench import decisions, scores
from tests.bench.function.workload import payment, push
from tests.bench.report import Result, progress
from tests.bench.timing import TURNS, cpu_in_turns

TERMS, START, MONTH = Terms(), datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=30)


def parts(turns: int = TURNS) -> list[Result]:
    """Every part against what it is made of or compared with."""
    measured = []
    for part in (reading, folding, packing, deciding, loading, scoring):
        progress(f"parts: {part.__name__}")
        measured += part(turns)
    return measured


def _body(month: int) -> bytes:
    return push(payment("user-1", START + month * MONTH))


def _full() -> History:
    """The history of a user who has renewed every month until the ring was full."""
    history = History()
    for month in range(RING_SIZE):
        history = history.add(parse_event("payment", decode(_body(month))), TERMS).history
    return history


def _result(what: str, baseline: str, *measured: list[float]) -> Result:
    return Result("parts", what, "µs", measured[0], baseline, measured[1])


def reading(turns: int) -> list[Result]:
    """Parsing and validating an event, against the JSON parser alone."""
    body = _body(1)
    data = decode(body).data
    works = lambda: parse_event("payment", decode(body)), lambda: json.loads(data)
    return [_result("push body to event", "json.loads of it", *cpu_in_turns(*works, times=500, turns=turns))]


def folding(turns: int) -> list[Result]:
    """A newer event, which folds onto the head, against an old event, which refolds the ring."""
    history = _full()
    newer, oldest = (parse_event("payment", decode(_body(month))) for month in (RING_SIZE, -1))
    works = lambda: history.add(newer, TERMS), lambda: history.add(oldest, TERMS)
    return [_result("fold a newer event", "refold a full ring", *cpu_in_turns(*works, times=20, turns=turns))]


def packing(turns: int) -> list[Result]:
    """Packing and unpacking a document with a full ring, against a document with one event."""
    one = History().add(parse_event("payment", decode(_body(1))), TERMS).history
    full, small = UserRecord("user-1", _full()), UserRecord("user-1", one)
    works = lambda: unpack(pack(full)), lambda: unpack(pack(small))
    return [
        _result("pack, unpack a full ring", "a ring of one event", *cpu_in_turns(*works, times=50, turns=turns))
    ]


def deciding(turns: int) -> list[Result]:
    """A decision over 50 campaigns, against an evaluation of its 250 clauses one by one."""
    free, limited = (compile_catalog(decisions.catalog(50, limits)) for limits in ({}, decisions.LIMITS))
    somebody = decisions.user()
    plain, ours, with_limits = cpu_in_turns(
        decisions.plainly(free, somebody),
        lambda: decisions.decision(free, somebody),
        lambda: decisions.decision(limited, somebody),
        times=10,
        turns=turns,
    )
    return [
        _result("decide over 50 campaigns", "their 250 clauses", ours, plain),
        _result("decide over 50 campaigns with caps", "their 250 clauses", with_limits, plain),
    ]


def loading(turns: int) -> list[Result]:
    """Loading a catalog of 100 campaigns, against one of 50."""
    hundred, fifty = decisions.catalog(100), decisions.catalog(50)
    works = lambda: compile_catalog(hundred), lambda: compile_catalog(fifty)
    return [_result("load a catalog of 100 campaigns", "of 50", *cpu_in_turns(*works, times=1, turns=turns))]


def scoring(turns: int) -> list[Result]:
    """Evaluating a score of each kind, against loading it."""
    measured = []
    for what, data, facts in scores.artifacts():
        score = load_score(data)
        works = lambda score=score, facts=facts: score.evaluate(facts), lambda data=data: load_score(data)
        values = cpu_in_turns(*works, times=5, turns=turns)
        measured.append(_result(f"evaluate {what}", f"load its {len(data) // 1024} KB", *values))
    return measured
