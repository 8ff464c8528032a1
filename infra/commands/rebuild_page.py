"""The result of a rebuild or a check, for people and for programs."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from infra.rebuild.comparison import Compared, Verdict
from infra.rebuild.facts import NOT_COMPARED
from infra.rebuild.making import Read
from infra.rebuild.run import Checked, Written
from infra.rebuild.write import Outcome
from shared.record.rows import to_json

WIDTH = 60
"""Characters shown of one value that differs."""
FIELDS = 4
"""Facts shown of one user who differs; the JSON has all."""


def facts_of_rebuild(done: Written, *, dry_run: bool) -> Any:
    """The result of a rebuild as JSON."""
    users = {outcome.value: done.outcomes[outcome] for outcome in Outcome}
    return {"dry_run": dry_run, "users": users, "unreadable_documents": done.unreadable, **_read(done.read)}


def facts_of_check(done: Checked) -> Any:
    """The result of a check as JSON."""
    users = {verdict.value: done.verdicts[verdict] for verdict in Verdict}
    examples = {str(verdict): [one._asdict() for one in found] for verdict, found in done.examples.items()}
    return {"users": users, "examples": _json(examples), "not_compared": NOT_COMPARED, **_read(done.read)}


def lines_of_rebuild(done: Written, *, dry_run: bool) -> Iterator[str]:
    """The result of a rebuild, a sentence a line."""
    yield f"{_users(done.read.users)}: {_listed(done.outcomes)}" + (" (dry run: nothing was written)" * dry_run)
    yield f"restored: {_listed(done.read.restored)}"
    yield from (f"this version cannot read the document of {user_id}" for user_id in done.unreadable)
    yield from _lines_of_read(done.read)


def lines_of_check(done: Checked) -> Iterator[str]:
    """The result of a check, a sentence a line; of differences, the first examples."""
    yield f"{_users(done.verdicts.total())}: {_listed(done.verdicts)}"
    for verdict, found in sorted(done.examples.items()):
        yield f"{verdict}:"
        for one in found:
            yield from _lines_of(one)
    yield from _lines_of_read(done.read)


def _lines_of(one: Compared) -> Iterator[str]:
    yield f"  {one.user_id}" + (f": {one.note}" if one.note else "")
    for path, (there, made) in [*one.fields.items()][:FIELDS]:
        yield f"    {path}: {_short(there)} in the document, {_short(made)} by the log"
    if len(one.fields) > FIELDS:
        yield f"    and {len(one.fields) - FIELDS} more (--json lists them)"


def _lines_of_read(read: Read) -> Iterator[str]:
    unreadable = f", {read.lines_unreadable:,} of them unreadable" if read.lines_unreadable else ""
    speed = read.events_per_second
    told = "" if speed is None else f", {speed:,.0f} events per second"
    yield f"{read.lines:,} lines read{unreadable}{told}"
    yield from (f"  {line}" for line in read.unreadable)
    if read.incomplete:
        yield f"of {_users(read.incomplete)} the log lacks something, so that nothing of then is offered again:"
        yield from (f"  {gap}" for gap in read.gaps)


def _users(number: int) -> str:
    return f"{number:,} user" if number == 1 else f"{number:,} users"


def _listed(counts: Mapping[str, int]) -> str:
    named = (f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(counts.items()) if count)
    return ", ".join(named) or "none"


def _short(value: Any) -> str:
    text = str(orjson.dumps(_json(value)).decode())
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}..."


def _read(read: Read) -> Mapping[str, Any]:
    return {
        "users_read": read.users,
        "lines": read.lines,
        "lines_unreadable": read.lines_unreadable,
        "unreadable_lines": read.unreadable,
        "restored": dict(sorted((+read.restored).items())),
        "incomplete": read.incomplete,
        "gaps": read.gaps,
        "seconds": round(read.seconds, 3),
        "events_per_second": None if (speed := read.events_per_second) is None else round(speed, 1),
    }


def _json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, to_json, orjson.OPT_UTC_Z))
