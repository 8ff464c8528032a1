"""`replay`: run a file of events through the functions, on a virtual clock."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, print_result
from infra.commands.inputs import deployment_terms, instant, readable, valid_catalog, writing_into

if TYPE_CHECKING:
    from infra.replay.replay import Summary


def replay(
    events: Annotated[Path, typer.Argument(metavar="EVENTS", help="The events, one JSON object per line.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for the results.")],
    catalog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The catalog; default: the shipped one.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="The time at which the clock ends; default: the last event.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=64, metavar="N", help="Share the work among N processes; default: one per CPU."),
    ] = None,
    keep_store: Annotated[
        bool, typer.Option("--keep-store", help="Keep documents and messages too, for show and explain.")
    ] = False,
    features: Annotated[
        Path | None,
        typer.Option(metavar="ROWS", help="The users' features, one row per line; default: none are known."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay a file of events through the functions.

    Reads EVENTS on a virtual clock that follows the events. A line is an event, optionally with "attributes" and
    "publish_time", or with "data_base64" in place of "data":

        {"topic": "payment", "data": {...}}

    A line that cannot be processed becomes a dead letter with its reason, and is no failure of the command. Writes
    these files into --out, replacing earlier ones:

        subscriptions.jsonl  triggers.jsonl   changes.jsonl      summary.json
        decisions.jsonl      exposures.jsonl  dead-letter.jsonl

    --keep-store adds upbeat.sqlite, the users' documents, and raw/TOPIC.jsonl, every message in and out with the
    columns of BigQuery's raw tables: they tell show and explain the past.

    --features is for a catalog that asks for features: rows as upbeat features export --file writes them. A
    decision knows what the rows tell of the instants up to it:

        {"user_id": "ada", "as_of": "2026-01-31T00:00:00Z", "worth": 120.5}

    The same events give the same files, except for the speed in summary.json. UPBEAT_GRACE_DAYS and the like hold
    here as they do in the functions.

    For example:

        upbeat replay events.jsonl --out /tmp/tour --keep-store
    """
    from infra.catalog.load import DEFAULT_CATALOG
    from infra.replay.replay import replay as run
    from infra.terminal.progress import bar
    from shared.queries.user_view import to_json

    until, terms = instant("--now", now), deployment_terms()
    readable(events, "a file of events")
    if features:
        readable(features, "a file of features")
    campaigns = catalog or DEFAULT_CATALOG
    valid_catalog(campaigns)
    with writing_into(out), bar("replaying") as progress:
        done = run(
            *(events, out, campaigns, until, processes),
            keep_store=keep_store,
            terms=terms,
            features=features,
            progress=progress,
        )
    print_result(_text(done, out), as_json=as_json, facts=to_json(asdict(done)))


def _text(done: "Summary", out: Path) -> str:
    counts = {
        "applied": done.applied,
        "duplicates": done.duplicates,
        "late": done.late,
        "ignored": done.ignored,
        "dead-lettered": done.dead_lettered,
    }
    outcomes = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return "\n".join(
        [
            f"{done.events_read:,} events read: {outcomes}",
            f"{done.triggers_issued:,} triggers issued, {done.triggers_revoked:,} revoked",
            f"{done.events_per_second:,.0f} events per second; the clock ended at {done.now:%Y-%m-%d %H:%M} UTC",
            f"In {out}: subscriptions, triggers, changes, decisions, exposures, dead-letter (.jsonl); summary",
        ]
    )
