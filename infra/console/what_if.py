"""The what-if of a moment: the decision that the catalog in force would make; nothing is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from infra.console.decision_view import Candidate, candidates
from infra.console.lives import Known
from infra.console.sources import Sources
from infra.inspect.user_page import where_from
from infra.terminal.wording import of_value
from shared.contracts.inbound.fields import utc
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.vocabulary import parse_selector
from shared.domain.errors import UpbeatError
from shared.domain.moments import BY_TIME_ALONE, FOLLOW_UPS, MomentKind, MomentSelector
from shared.domain.offsets import offset_text
from shared.queries.explanation import UNTRUE, as_if
from shared.queries.known_past import past_at
from shared.queries.past import Past, is_past
from shared.queries.past_log import from_log_alone


class Answer(NamedTuple):
    """The hypothetical decision."""

    moment: str
    at: datetime
    catalog_version: str
    untrue: str | None
    """The reason why the moment would be stale then; None if it could come."""
    candidates: Sequence[Candidate]
    past: Sequence[str]
    """From where the past is known, and what may be missing; none of the present."""


class WhatIf(NamedTuple):
    """The form, and the answer if something was asked."""

    moments: Sequence[str]
    """The moments to choose from: those to which a campaign listens first."""
    listened: int
    """The number of them to which a campaign listens."""
    moment: str
    at: str
    answer: Answer | None = None
    problem: str = ""


def asked(
    known: Known, sources: Sources, catalog: Catalog | None, now: datetime, query: Mapping[str, str]
) -> WhatIf | None:
    """The form for a user, with the answer to what the query asks; None where no catalog decides about a user."""
    if known.record is None or catalog is None:
        return None
    listened = [*dict.fromkeys(map(_written, catalog.listeners))]
    others = [kind.value for kind in MomentKind if kind not in FOLLOW_UPS | BY_TIME_ALONE]
    moments = [*dict.fromkeys((*sorted(listened), *others))]
    moment, at = query.get("moment", ""), query.get("at", "").strip()
    form = WhatIf(moments, len(listened), moment, at or f"{now:%Y-%m-%dT%H:%M:%SZ}")
    if not moment:
        return form
    try:
        instant = utc(at) if at else now
    except ValueError:
        expected = "an RFC 3339 time with offset, such as 2026-03-01T00:00:00Z"
        return form._replace(problem=f"at: expected {expected}, found {at!r}")
    try:
        selector = parse_selector(moment)
    except ValueError as error:
        return form._replace(problem=f"moment: expected {error}, found {moment!r}")
    return _answered(form, known, sources, catalog, selector, instant)


def _answered(
    form: WhatIf, known: Known, sources: Sources, catalog: Catalog, selector: MomentSelector, at: datetime
) -> WhatIf:
    past = _past_of(known, sources, at)
    record = past.record if past else known.record
    if record is None or (past is None and known.record and is_past(known.record, at)):
        return form._replace(
            problem=f"What the user was at {of_value(at)} UTC is not known: nothing reaches back."
        )
    if past and past.undecidable:
        missing = ", ".join(past.undecidable)
        return form._replace(problem=f"It cannot be decided at {of_value(at)} UTC: not all is known of {missing}.")
    try:
        decision = as_if(record, selector, at, catalog, sources.terms)
    except UpbeatError as error:
        return form._replace(problem=str(error))
    told = tuple(where_from(known.life, past))
    about = (form.moment, at, decision["catalog_version"], decision[UNTRUE])
    return form._replace(answer=Answer(*about, candidates(decision, catalog), told))


def _past_of(known: Known, sources: Sources, at: datetime) -> Past | None:
    """The document at an instant that it does not tell itself; None if it does, or if nothing tells it."""
    if known.record is None or (known.from_log is None and not is_past(known.record, at)):
        return None
    if known.from_log:
        return from_log_alone(known.life.user_id, known.logged or [], at, sources.terms)
    return past_at(known.record, known.logged, at, sources.terms)


def _written(selector: MomentSelector) -> str:
    """A selector as a catalog writes it."""
    at = f"@{offset_text(selector.offset)}" if selector.offset else ""
    return f"{selector.kind}{at}" + (f":{selector.campaign}" if selector.campaign else "")
