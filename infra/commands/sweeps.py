"""`catalog recall` and `catalog sweep`: have users processed again who may send no event for weeks."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.commands.common import AsJson, Project, bus_of, print_result
from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from infra.sweeps.sweep import Scope, Sweep, Target
    from shared.decisioning.catalog import Catalog

PerSecond = Annotated[
    float,
    typer.Option(
        "--per-second", min=0.1, max=10_000, metavar="N", help="Publish at most this many messages a second."
    ),
]
NoWait = Annotated[
    bool,
    typer.Option("--no-wait", help="Do not wait until every function must have the catalog: you have waited."),
]
Store = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Use what replay --keep-store kept: its folder, or the SQLite file in it."),
]
CatalogFile = Annotated[
    Path | None, typer.Option("--catalog", metavar="FILE", help="The catalog that is in force for --store.")
]
USUAL_PACE = 500.0
"""Messages a second, the rate at which Firestore lets a new load begin.

https://firebase.google.com/docs/firestore/best-practices#ramping_up_traffic
"""


class _Opened(NamedTuple):
    """A target, the catalog in force there, and the instant at which messages are dated."""

    target: "Target"
    catalog: "Catalog"
    now: datetime
    settles_in: timedelta
    """The time until no function can commit what an earlier catalog decided."""


def recall(  # noqa: PLR0913, PLR0917 - each is an option of the command
    campaigns: Annotated[
        list[str] | None, typer.Argument(metavar="CAMPAIGN", help="The campaigns to recall, at most 30.")
    ] = None,
    offer: Annotated[
        str | None,
        typer.Option(
            metavar="OFFER", help="Recall the campaigns that make this offer, or the given ones that made it."
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Recall whatever is open: for the kill switch.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Recall also what the catalog in force still offers.")
    ] = False,
    per_second: PerSecond = USUAL_PACE,
    no_wait: NoWait = False,
    project: Project = None,
    store: Store = None,
    catalog: CatalogFile = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw what is open of closed campaigns.

    An open trigger is asked again when something happens to its user. A recall makes that happen now: it finds
    the users who have an open trigger of the campaigns, and publishes a lifecycle-due message for each. The
    functions then revoke what the catalog in force no longer allows. So close the campaign first: pause or remove
    it, archive its offer, or turn on the kill switch, and publish the catalog. What is still offered is refused,
    because its triggers would stay open.

    Waits until every function must have the catalog: a refresh and the longest commit after its publication. Saves
    its position after each page. Run it again after a failure, and it goes on there, if the same catalog is in
    force; after the end, it starts anew and finds those who still have something open. A message that is
    published twice has one id, made of the recall and the user, and has its effect once.

    Uses the running emulators, a cloud project, or a store with --catalog, whose users are processed by the
    functions in this process.

    Exit codes: 0 if all messages are published, 1 if something fails, 2 if the recall is refused.

    For example:

        upbeat catalog recall summer_sale --project my-project
        upbeat catalog recall --offer annual_plan
        upbeat catalog recall --all --per-second 2000 --project my-project
    """
    from infra.catalog.closing import campaigns_with
    from infra.sweeps.sweep import Scope

    named = tuple(sorted(set(campaigns or ())))
    _check_arguments(named, offer, everything=everything)
    with _opened(project, store, catalog) as opened:
        if offer and not named:
            named = campaigns_with(opened.catalog, offer)
        if not force:
            _refuse_what_is_offered(opened, named, offer)
        if not named and not everything:
            raise UsageError(
                f"--offer: expected an offer of a campaign, found {offer!r}; name the campaigns that had it"
            )
        scope = Scope(named, only_open=everything)
        _run(opened, scope, per_second, wait=not no_wait, as_json=as_json)


def sweep(
    per_second: PerSecond = USUAL_PACE,
    no_wait: NoWait = False,
    project: Project = None,
    store: Store = None,
    catalog: CatalogFile = None,
    as_json: AsJson = False,
) -> None:
    """Process every user once, for a new milestone.

    A user is woken at the next deadline or milestone that was known when the user was processed last. So nobody
    is woken for a milestone that is new in the catalog until something else happens: not for lapsed@30, say, if
    the user had expired before. A sweep publishes a lifecycle-due message for every user. The functions then note
    the next due time, and decide milestones that were reached in the meantime. One that was reached longer ago
    than moments stay fresh (72 hours, UPBEAT_FRESHNESS_HOURS) is recorded as stale and offers nothing. Open
    triggers are asked again too.

    Costs a read, a message and a processing for each user; a user for whom nothing changes is not written. Waits,
    saves its position and resumes as recall does.

    Exit codes: 0 if all messages are published, 1 if something fails.

    For example:

        upbeat catalog sweep --project my-project --per-second 1000
    """
    from infra.sweeps.sweep import Scope

    with _opened(project, store, catalog) as opened:
        _run(opened, Scope(), per_second, wait=not no_wait, as_json=as_json)


def _check_arguments(named: tuple[str, ...], offer: str | None, *, everything: bool) -> None:
    from infra.sweeps.sweep import MAX_CAMPAIGNS

    if everything and (named or offer):
        raise UsageError("expected campaigns, --offer or --all, found --all beside another")
    if not (everything or named or offer):
        raise UsageError("expected campaigns, --offer or --all, found none")
    if len(named) > MAX_CAMPAIGNS:
        raise UsageError(f"expected at most {MAX_CAMPAIGNS} campaigns, found {len(named)}")


def _refuse_what_is_offered(opened: _Opened, named: tuple[str, ...], offer: str | None) -> None:
    """Raise `UsageError` if the catalog in force still offers what is to be recalled."""
    from infra.catalog.closing import is_closed_offer, is_open

    document = opened.catalog.document
    if offer is not None:
        offered = [] if is_closed_offer(opened.catalog, offer) else [f"the offer {offer} is approved"]
    elif named:
        offered = [f"the campaign {id_} is live" for id_ in named if is_open(opened.catalog, id_, opened.now)]
    else:
        offered = [] if document.kill_switch else ["the kill switch is off"]
    if offered:
        raise UsageError(
            f"expected something that the catalog in force has closed, found that {', '.join(offered)}: the"
            " triggers would stay open; publish a catalog that closes it first, or add --force"
        )


@contextmanager
def _opened(project: str | None, store: Path | None, catalog: Path | None) -> Iterator[_Opened]:
    """The target that the options name. Raises `UsageError`, `InfraError`."""
    if store and project:
        raise UsageError("expected --store or --project, found both")
    if bool(store) != bool(catalog):
        raise UsageError("expected --store and --catalog together, found one of them")
    with _opened_store(store, catalog) if store and catalog else _opened_project(project) as opened:
        yield opened


@contextmanager
def _opened_project(project: str | None) -> Iterator[_Opened]:
    from infra.commands.inputs import catalog_refresh
    from infra.remote.firestore import client_of
    from infra.remote.sweeps import FirestoreUsers, in_force
    from infra.sweeps.pace import settles_at
    from infra.topology import load
    from shared.contracts.topics import Topic

    client, refresh = client_of(project), catalog_refresh()
    deciding = (each for each in load().functions.values() if Topic.UPSELL_TRIGGER in each.publishes)
    longest_commit = timedelta(seconds=max(each.timeout_seconds for each in deciding))
    current = in_force(client)
    if current is None:
        raise InfraError("expected a valid catalog in force, found none; publish one first")
    settles_in = settles_at(current.since, refresh, longest_commit) - current.read_at
    bus = bus_of(project)
    try:
        yield _Opened(FirestoreUsers(client, bus), current.catalog, datetime.now(UTC), settles_in)
    finally:
        bus.close()


@contextmanager
def _opened_store(store: Path, catalog: Path) -> Iterator[_Opened]:
    from dataclasses import replace

    from infra.commands.inputs import deployment_terms, valid_catalog
    from infra.commands.users import as_of, store_file
    from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
    from infra.embedded.sweeps import EmbeddedUsers, put_in_force
    from shared.adapters.packed_records import PackedRecords
    from shared.adapters.sqlite import SqliteStore

    file = store_file(store)
    content, now = valid_catalog(catalog), as_of(None, store)
    content = replace(content, number=put_in_force(file, content.version, now))
    terms = deployment_terms()
    with closing(SqliteStore(file)) as opened:
        records = PackedRecords(opened, terms)
        runtime = EmbeddedRuntime(records, content, VirtualClock(now), lambda _message: None, terms=terms)
        yield _Opened(EmbeddedUsers(runtime, opened), content, now, timedelta(0))


def _run(opened: _Opened, scope: "Scope", per_second: float, *, wait: bool, as_json: bool) -> None:
    from infra.sweeps.pace import Pace, wait_for
    from infra.sweeps.sweep import carry_out, resumed_or_new
    from infra.terminal.progress import bar

    began = resumed_or_new(opened.target, scope, opened.catalog.number, opened.now)
    if wait and opened.settles_in > timedelta(0):
        with bar("waiting until every function has the catalog") as progress:
            wait_for(opened.settles_in, progress)
    with bar("publishing") as progress:
        pace = Pace(per_second)
        ended = carry_out(began, scope, opened.target, page_size=pace.page_size, pause=pace, progress=progress)
    print_result(_text(ended, began, scope), as_json=as_json, facts=_facts(ended, began, scope))


def _facts(ended: "Sweep", began: "Sweep", scope: "Scope") -> dict[str, Any]:
    return {
        "id": ended.id,
        "resumed": bool(began.after),
        "catalog_number": ended.number,
        "campaigns": list(scope.campaigns),
        "everything": not scope.campaigns,
        "published": ended.published,
        "published_now": ended.published - began.published,
    }


def _text(ended: "Sweep", began: "Sweep", scope: "Scope") -> str:
    whom = f"open triggers of {', '.join(scope.campaigns)}" if scope.campaigns else "an open trigger"
    users = f"users with {whom}" if scope.campaigns or scope.only_open else "users"
    before = f", {began.published:,} of them before this run resumed it" if began.after else ""
    return f"{ended.id} is done: {ended.published:,} {users} are to be processed again{before}"
