"""Rows: every supported field type of a named tuple survives a round trip through JSON."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
import pytest

from shared.record.rows import reader_of, to_json

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Point(NamedTuple):
    x: int
    y: int = 0


class Label(NamedTuple):
    text: str


class Wait(NamedTuple):
    offset: timedelta


class Thing(NamedTuple):
    name: str
    colour: Colour
    at: datetime | None = None
    corners: tuple[Point, ...] = ()
    seen: tuple[tuple[datetime, str], ...] = ()
    inner: Point | None = None
    label: Label | None = None
    rows: tuple[tuple[Any, ...], ...] = ()
    offset: timedelta | None = None
    notes: dict[str, str | bool | None] = {}  # noqa: RUF012 - never mutated


FULL = Thing(
    name="outer",
    colour=Colour.BLUE,
    at=NOON,
    corners=(Point(1, 2), Point(3)),
    seen=((NOON, "once"), (NOON, "twice")),
    inner=Point(4),
    label=Label("one field"),
    rows=((1, None, "a"), ()),
    offset=timedelta(hours=36),
    notes={"plan": None, "student": True},
)


def read(kind: Any, row: object) -> Any:
    reader = reader_of(kind)
    assert reader
    return reader(orjson.loads(orjson.dumps(row, to_json)))


@pytest.mark.parametrize("thing", [FULL, Thing("bare", Colour.RED)])
def test_a_value_comes_back_as_it_was(thing: Thing) -> None:
    back = read(Thing, thing)
    assert back == thing
    assert back.colour is thing.colour


def test_a_row_that_ends_early_takes_the_defaults() -> None:
    assert read(Thing, ["old", "red"]) == Thing("old", Colour.RED)


@pytest.mark.parametrize(("written", "days"), [(3, 3), ("3d", 3), ("36h", 1.5)])
def test_an_offset_is_text_and_was_a_number_of_days(written: int | str, days: float) -> None:
    assert read(Wait, [written]) == Wait(timedelta(days=days))


def test_a_value_that_is_no_row_is_not_written() -> None:
    with pytest.raises(TypeError):
        orjson.dumps(Label(object()), to_json)


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (Thing, ["no colour"]),
        (Thing, [*FULL, "a field more"]),
        (Thing, {"name": "by name", "colour": "red"}),
        (Thing, ["a colour unheard of", "octarine"]),
        (Thing, ["no time", "red", 12]),
        (Thing, ["no list", "red", None, "corners"]),
        (Thing, ["half a pair", "red", None, [], [["2026-01-01T12:00:00Z"]]]),
        (Point, [1, 2, 3]),
        (Wait, ["7w"]),
        (Wait, [0]),
        (Wait, [True]),
        (Wait, [1.5]),
        (Wait, [[7]]),
    ],
)
def test_a_row_of_another_version_is_refused(kind: type, row: object) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        read(kind, row)


@pytest.mark.parametrize("kind", [list[int], frozenset[str], Point | Label, datetime | str])
def test_a_type_that_would_not_come_back_is_refused_before_anything_is_read(kind: Any) -> None:
    with pytest.raises(TypeError):
        reader_of(kind)


@pytest.mark.parametrize(
    ("kind", "row", "value"),
    [
        (tuple[datetime, str], [NOON.isoformat(), "a"], (NOON, "a")),
        (tuple[str], ["a"], ("a",)),
        (tuple[datetime], [NOON.isoformat()], (NOON,)),
    ],
)
def test_a_tuple_of_fixed_length_has_that_length(kind: Any, row: list[Any], value: tuple[Any, ...]) -> None:
    read = reader_of(kind)
    assert read is not None
    assert read(row) == value
    for other in (row[:-1], [*row, "more"]):
        with pytest.raises(ValueError, match="zip"):
            read(other)


def test_several_types_that_json_keeps_apart_need_no_reader() -> None:
    assert reader_of(str | int | None) is None


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(TypeError, match=r"^expected a list, found str$"):
        reader_of(Point)("a row")  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"^expected one type or None: JSON cannot tell"):
        reader_of(datetime | timedelta)
