"""`clock`: show or move the clock of the running emulators."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import Annotated

import typer

from infra.commands.common import AsJson, print_result
from infra.commands.inputs import instant
from infra.errors import UsageError


def clock(
    move: Annotated[
        str,
        typer.Argument(
            metavar="[show | +30d | TIME]", help="show, a distance (+30d, +36h, +10m, +5s), or a time."
        ),
    ] = "show",
    as_json: AsJson = False,
) -> None:
    """Show or move the clock of the running emulators.

    All local functions follow this clock. When it moves, everything that falls due on the way happens at its time:
    the clock stops there until the functions are done. It never goes back; `upbeat up --now TIME` starts anywhere.
    Deployed functions have no such clock.

    Exit codes: 0 if the clock is where you want it, 1 if no emulators run or the functions take too long, 2 for a
    distance or a time that makes no sense.

    For example:

        upbeat clock +30d
        upbeat clock 2027-01-31T12:00:00Z
    """
    from infra.remote.clock import RunningClock
    from infra.remote.firestore import emulator_client
    from infra.remote.passing_time import pass_time
    from infra.remote.pubsub import Bus
    from infra.remote.running import find, state_folder
    from infra.terminal.console import console

    running, of_functions = find(), RunningClock(state_folder())
    stops = 0
    if move != "show":
        until, output = _until(move, of_functions.now()), console(stderr=True)
        with (
            closing(Bus.of_emulator(running.endpoints)) as bus,
            output.status(f"on the way to {_text(until)}") as told,
        ):
            client = emulator_client(running.endpoints)
            passed = pass_time(of_functions, client, bus, until, lambda now: told.update(f"it is {_text(now)}"))
        stops = passed.stops
    now, ahead = of_functions.now(), of_functions.ahead
    facts = {"now": _text(now), "ahead_seconds": round(ahead.total_seconds(), 3), "stops": stops}
    on_the_way = f"; something was due at {stops:,} instants on the way" if stops else ""
    print_result(f"it is {_text(now)}, {_distance(ahead)}{on_the_way}", as_json=as_json, facts=facts)


def _until(move: str, now: datetime) -> datetime:
    """The instant to move to. Raises `UsageError`."""
    from infra.samples.distance import distance

    far = distance(move) if move.startswith("+") else None
    if far is not None:
        return now + far
    try:
        return instant("TIME", move) or now
    except UsageError:
        expected = "show, a distance such as +30d or +36h, or an RFC 3339 time with offset"
        raise UsageError(f"expected {expected}, found {move!r}") from None


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _distance(ahead: timedelta) -> str:
    if abs(ahead) < timedelta(seconds=1):
        return "as on this machine"
    side = "ahead of" if ahead > timedelta(0) else "behind"
    size = abs(ahead)
    text = f"{size.days} days" if size >= timedelta(days=2) else f"{size.total_seconds() / 3600:.1f} hours"
    return f"{text} {side} this machine"
