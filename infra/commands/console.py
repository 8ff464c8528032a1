"""`console`: web pages of a running Upbeat, of a project, or of a replay's store."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, Project, print_result
from infra.commands.inputs import deployment_terms, valid_catalog
from infra.commands.users import AsOf, Store, as_of, store_file
from infra.errors import UsageError

if TYPE_CHECKING:
    from infra.console.sources import Sources


def console(
    store: Store = None,
    project: Project = None,
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The catalog, if the raw log tells none, with its scores and policies. Default: the shipped one.",
            dir_okay=False,
        ),
    ] = None,
    now: AsOf = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="The port; 0 for any free one.")
    ] = 8070,
    write: Annotated[
        bool, typer.Option("--write", help="Let pages publish events, mend dead letters, and roll back a catalog.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a running Upbeat as web pages, until Ctrl-C.

    Pages: events and decisions as they happen, the whole life of a user, the funnel of each campaign, the catalog,
    the dead letters, and forms to try events. Shows the running emulators, a cloud project, or the store that a
    replay kept. Listens on 127.0.0.1 alone, and reads only, unless --write is given. `up` starts one for its
    emulators.

    Exit codes: 0 after Ctrl-C, 1 if nothing runs or the port is in use, 2 for arguments that make no sense.

    For example:

        upbeat console --store /tmp/tour
        upbeat console --write --port 0
    """
    from infra.console.app import application
    from infra.console.server import serve

    sources = _sources(store, project, catalog, now)

    def started(address: str) -> None:
        print_result(f"{sources.name}: {address}", as_json=as_json, facts={"shows": sources.name, "url": address})

    ending = threading.Event()
    serve(application(sources, may_write=write, ending=ending), port, started, ending)


def _sources(store: Path | None, project: str | None, catalog: Path | None, now: str | None) -> "Sources":
    """The sources to show. Raises `UsageError` for options that contradict each other."""
    from infra.catalog.load import DEFAULT_CATALOG
    from infra.console import opening
    from infra.remote.running import state_folder

    terms = deployment_terms()
    if store and project:
        raise UsageError("expected --store or --project, found both")
    if store:
        file = store_file(store)
        given = catalog or DEFAULT_CATALOG
        valid_catalog(given)
        return opening.of_store(file, as_of(now, store), terms, given)
    if catalog or now:
        raise UsageError("--catalog and --now are for --store alone; a running Upbeat has its own")
    return opening.of_project(project, terms) if project else opening.of_emulators(state_folder(), terms)
