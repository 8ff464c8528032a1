"""Damage: parts of a stored record that do not have their declared types.

Reading a document looks at few types, because every event reads a whole one. People who look at one want to know.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from shared.domain.events import Event, Profile
from shared.domain.profiles import profile
from shared.domain.ring import from_row
from shared.record.user_record import Pending, UserRecord


class _Part(NamedTuple):
    """One part of a record, the type that it should have, and how to read it."""

    path: str
    kind: Any
    read: Callable[[], object]


def damage(record: UserRecord) -> str | None:
    """The path of the first damaged part, and what is wrong with it; None for a record in good order."""
    for path, kind, read in _parts(record):
        try:
            damaged = misfit(kind, read(), path)
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            return f"{path}: {type(error).__name__}"
        if damaged:
            return f"{damaged}: not of its type"
    return None


def _parts(record: UserRecord) -> Iterator[_Part]:
    """The record, and the parts that it holds in a denser form: the events of its ring, and pending messages."""
    yield _Part("record", UserRecord, lambda: record)
    yield _Part("record.profile", Profile, partial(profile, record.profile))
    for place, row in enumerate(record.history.ring):
        yield _Part(f"record.history.ring[{place}]", Event, partial(from_row, row, record.user_id))
    for place, entry in enumerate(record.pending):
        yield _Part(f"record.pending[{place}].payload", tuple[_Message, ...], partial(_messages, entry))


_Message = tuple[str, str, dict]  # type: ignore[type-arg]


def _messages(entry: Pending) -> tuple[tuple[str, str, dict[str, Any]], ...]:
    return tuple((message.topic, message.message_id, message.body) for message in entry.messages)


def misfit(kind: Any, value: Any, path: str) -> str | None:
    """The path of the first part of a value that does not have its declared type; None if all parts do."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return None
    if origin in {Union, UnionType}:
        return None if any(misfit(member, value, path) is None for member in arguments) else path
    if isinstance(value, tuple) and isinstance(value, origin or kind):
        return next(filter(None, (misfit(of, part, where) for where, of, part in _items(kind, value, path))), None)
    fits = isinstance(value, origin or kind) and (not isinstance(value, bool) or kind is bool)
    lacks_offset = isinstance(value, datetime) and value.tzinfo is None
    return None if fits and not lacks_offset else path


def _items(kind: Any, value: tuple[Any, ...], path: str) -> Iterator[tuple[str, Any, Any]]:
    """The path, the declared type and the value of each item of a tuple or field of a named tuple."""
    if get_origin(kind) is not tuple:
        hints = get_type_hints(kind)
        return ((f"{path}.{name}", hints[name], getattr(value, name)) for name in kind._fields)
    arguments = get_args(kind)
    kinds = [arguments[0]] * len(value) if arguments[-1] is ... else arguments
    return ((f"{path}[{place}]", *part) for place, part in enumerate(zip(kinds, value, strict=True)))
