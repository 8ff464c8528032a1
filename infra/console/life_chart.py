"""The picture of a life: bands of status and marks on a time axis, in shares of the picture's width."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from infra.console.life_lines import Lines
from infra.console.time_axis import Axis, Tick
from infra.terminal.wording import of_value
from shared.domain.subscription import Status
from shared.queries.life import Life, LifeEntry, LifeKind
from shared.queries.status_spans import StatusSpan

SPANS: Mapping[str, timedelta | None] = {
    "all": None,
    "1 year": timedelta(days=365),
    "90 days": timedelta(days=90),
    "14 days": timedelta(days=14),
}
"""The lengths of time that may be shown, by their names; None: the whole life."""
PLACES = 100
"""The places at which a lane may have a mark: what falls together is one mark."""
MOST_TEXT = 80
"""The most characters of a mark's text."""
SHORTEST = timedelta(hours=6)
"""The least length of the axis."""


class Shape(StrEnum):
    """The shape of a mark."""

    EVENT = "event"
    REJECTED = "rejected"
    CHANGE = "change"
    OFFER = "offer"
    REVOKED = "revoked"


class Bar(NamedTuple):
    """A span within the picture; from `x` on, `width` wide, both in percent."""

    x: float
    width: float
    span: StatusSpan


class Band(NamedTuple):
    """The spans of one subscription."""

    subscription_id: str
    bars: tuple[Bar, ...]


class Mark(NamedTuple):
    """The events at one place of a lane, `x` in percent."""

    x: float
    shape: Shape
    text: str


class Lane(NamedTuple):
    """The marks of one kind."""

    name: str
    marks: tuple[Mark, ...]


class Chart(NamedTuple):
    """The picture of a life, or of a part of it."""

    axis: Axis
    ticks: tuple[tuple[float, Tick], ...]
    """Each with its place in percent."""
    bands: tuple[Band, ...]
    lanes: tuple[Lane, ...]
    statuses: tuple[Status, ...]
    """Those that are to be seen, best first."""


def axis_of(life: Life, spans: Sequence[StatusSpan], length: timedelta | None, ends: datetime) -> Axis:
    """The axis that shows a length of time up to `ends` (UTC); without a length, the whole life."""
    if length is None:
        known = [*(entry.at for entry in life.entries), *(span.begins for span in spans)]
        begins = min(known, default=ends)
        length = max((ends - begins) * 1.02, SHORTEST)
    return Axis(ends - length, ends)


def chart(life: Life, spans: Sequence[StatusSpan], axis: Axis, lines: Lines) -> Chart:
    """The picture of the part of a life that is on the axis."""
    seen = [span for span in spans if span.ends > axis.begins and span.begins < axis.ends]
    bands = tuple(
        Band(subscription_id, tuple(_bar(span, axis) for span in of_one))
        for subscription_id, of_one in groupby(seen, lambda span: span.subscription_id)
    )
    lanes = tuple(
        Lane(name, tuple(_marks(life.entries, shape_of, axis, lines))) for name, shape_of in LANES.items()
    )
    statuses = {span.status for span in seen}
    ticks = tuple((_percent(axis, tick.at), tick) for tick in axis.ticks())
    return Chart(axis, ticks, bands, lanes, tuple(status for status in Status if status in statuses))


def _bar(span: StatusSpan, axis: Axis) -> Bar:
    x = _percent(axis, span.begins)
    return Bar(x, round(_percent(axis, span.ends) - x, 2), span)


def _percent(axis: Axis, at: datetime) -> float:
    return round(100 * axis.share(at), 2)


def _marks(
    entries: Iterable[LifeEntry], shape_of: Callable[[LifeEntry], Shape | None], axis: Axis, lines: Lines
) -> Iterator[Mark]:
    """The marks of a lane. What falls on one place with one shape is one mark."""
    places: dict[tuple[int, Shape], list[LifeEntry]] = {}
    for entry in entries:
        if axis.holds(entry.at) and (shape := shape_of(entry)):
            places.setdefault((round(axis.share(entry.at) * PLACES), shape), []).append(entry)
    for (_, shape), found in places.items():
        first = found[0]
        at = of_value(first.at)
        text = (
            f"{at} {lines.text(first)}"
            if len(found) == 1
            else f"{len(found)} from {at} to {of_value(found[-1].at)}"
        )
        yield Mark(_percent(axis, first.at), shape, text[:MOST_TEXT])


def _of_event(entry: LifeEntry) -> Shape | None:
    if entry.kind is LifeKind.REJECTED:
        return Shape.REJECTED
    return Shape.EVENT if entry.kind in {LifeKind.EVENT, LifeKind.FEEDBACK} else None


def _of_change(entry: LifeEntry) -> Shape | None:
    return Shape.CHANGE if entry.kind is LifeKind.CHANGE and entry.body.get("changed") != [] else None


def _of_offer(entry: LifeEntry) -> Shape | None:
    if entry.kind is LifeKind.TRIGGER:
        return Shape.OFFER if entry.body.get("kind") == "issued" else Shape.REVOKED
    return None


LANES: Mapping[str, Callable[[LifeEntry], Shape | None]] = {
    "Events": _of_event,
    "Changes": _of_change,
    "Offers": _of_offer,
}
"""The lanes below the bands, each with the shape of an entry in it; None: it has none."""
