"""A rebuild, or a check, on one machine: worker processes make documents, and this one writes or compares them."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from infra.errors import InfraError
from infra.raw.by_user import Wanted
from infra.rebuild.comparison import Compared, Verdict, compared
from infra.rebuild.making import EXAMPLES, Progress, Read, Source, all_made
from infra.rebuild.target import Target
from infra.rebuild.work import nothing
from infra.rebuild.write import Outcome, Writer
from shared.domain.errors import Transient

Opened = AbstractAsyncContextManager[Target]
"""Opens a store for the time of a block."""
Result = TypeVar("Result", "Written", "Checked")


@dataclass(slots=True)
class Written:
    """The result of a rebuild."""

    read: Read
    outcomes: Counter[str]
    """Users by what became of them."""
    unreadable: list[str]
    """Some of the users whose documents cannot be read."""


@dataclass(slots=True)
class Checked:
    """The result of a check."""

    read: Read
    verdicts: Counter[str]
    """Users by what the comparison gave."""
    examples: dict[str, list[Compared]]
    """At most 10 users of each verdict but equal."""


def rebuild(
    source: Source,
    target: Opened,
    *,
    replace_before: datetime | None = None,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Written:
    """Make the documents of a raw log's users again, and write those that are missing.

    With `replace_before`, those whose last commit was before that instant (UTC) are replaced, too. Raises
    `UsageError` if the folder holds no raw log, `InfraError` if a process was killed or the store does not open,
    `OSError` if a file cannot be read.
    """

    async def run() -> Written:
        done = Written(Read(), Counter(), [])
        async with target as opened:
            terms = source.deployment.terms
            writer = Writer(opened.documents, terms, replace_before=replace_before, dry_run=dry_run)
            async for chunk in all_made(source, done.read, progress):
                with opened.batch():
                    outcomes = await asyncio.gather(*map(writer.write, chunk))
                done.outcomes.update(outcomes)
                found = zip(chunk, outcomes, strict=True)
                unreadable = [one.user_id for one, outcome in found if outcome is Outcome.UNREADABLE]
                done.unreadable += unreadable[: EXAMPLES - len(done.unreadable)]
        return done

    return _timed(run)


def check(source: Source, target: Opened, progress: Progress = lambda _: None) -> Checked:
    """Compare the documents of a store with those that the raw log gives. Raises what `rebuild` raises."""

    async def run() -> Checked:
        done, seen = Checked(Read(), Counter(), defaultdict(list)), set[str]()
        async with target as opened:
            async for chunk in all_made(source, done.read, progress):
                stored = await asyncio.gather(*(opened.documents.load(one.user_id) for one in chunk))
                for one, found in zip(chunk, stored, strict=True):
                    seen.add(one.user_id)
                    _note(done, compared(found, one, source.deployment.terms))
            async for user_id in _others(opened, source.wanted, seen):
                found = await opened.documents.load(user_id)
                if found.version is not None:
                    _note(done, compared(found, nothing(user_id), source.deployment.terms))
        return done

    return _timed(run)


def _note(done: Checked, one: Compared) -> None:
    done.verdicts[one.verdict] += 1
    if one.verdict is not Verdict.EQUAL and len(done.examples[one.verdict]) < EXAMPLES:
        done.examples[one.verdict].append(one)


def _timed(run: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    began = time.perf_counter()
    try:
        result = asyncio.run(run())
    except BrokenProcessPool as error:
        raise InfraError("a process was killed, perhaps because memory ran out; run it again to go on") from error
    except Transient as error:
        raise InfraError(f"the store does not answer; run it again to go on: {error}") from error
    result.read.seconds = time.perf_counter() - began
    return result


async def _others(target: Target, wanted: Wanted, seen: set[str]) -> AsyncIterator[str]:
    """The users of whom the log tells nothing: those who have a document, or all who are wanted."""
    others = sorted(wanted.users) if wanted.users is not None else target.users()
    for user_id in others:
        if user_id not in seen:
            yield user_id
