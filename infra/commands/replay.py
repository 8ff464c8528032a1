"""`replay`: run a file of events through the functions, on a virtual clock."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, say
from infra.commands.inputs import instant, readable, valid_catalog, writing_into

if TYPE_CHECKING:
    from infra.replay.replay import Summary


def replay(
    events: Annotated[Path, typer.Argument(help="The events, one JSON object a line.")],
    out: Annotated[Path, typer.Option(help="The folder for what comes of them.")],
    catalog: Annotated[Path | None, typer.Option(help="A catalog; else the one Upbeat starts with.")] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where the clock stands at the end; else at the last event.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many processes share the work; else one a processor.")
    ] = None,
    keep_store: Annotated[
        bool, typer.Option("--keep-store", help="Keep the users' documents too, for show --store.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a file of events through the functions, on a virtual clock that follows the events.

    A line is {"topic": "payment", "data": {...}}, perhaps with "attributes" and "publish_time", or with
    "data_base64" in place of "data". The same file gives the same output, the speed in summary.json apart.
    """
    from infra.catalog.load import DEFAULT_CATALOG
    from infra.replay.replay import replay as run
    from infra.terminal.progress import bar
    from shared.queries.user_view import to_json

    until = instant("--now", now)
    readable(events, "a file of events")
    campaigns = catalog or DEFAULT_CATALOG
    valid_catalog(campaigns)
    with writing_into(out), bar("replaying") as progress:
        done = run(events, out, campaigns, until, processes, keep_store=keep_store, progress=progress)
    say(_told(done, out), as_json=as_json, facts=to_json(asdict(done)))


def _told(done: "Summary", out: Path) -> str:
    counts = {
        "applied": done.applied,
        "duplicates": done.duplicates,
        "late": done.late,
        "dead-lettered": done.dead_lettered,
    }
    outcomes = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return "\n".join(
        [
            f"{done.events_read:,} events read: {outcomes}",
            f"{done.triggers_issued:,} triggers issued, {done.triggers_revoked:,} revoked",
            f"{done.events_per_second:,.0f} events a second; the clock stands at {done.now:%Y-%m-%d %H:%M} UTC",
            f"In {out}: subscriptions, triggers, changes, decisions, exposures, dead-letter (.jsonl); summary",
        ]
    )
