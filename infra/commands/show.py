"""`show`: everything that is known of one user."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.common import AsJson, Project, print_json
from infra.commands.inputs import valid_catalog
from infra.commands.known_user import Asked, KnownUser, known_user
from infra.commands.raw_log import Raw
from infra.commands.users import AsOf, Store, UserId


def show(
    user: UserId,
    store: Store = None,
    project: Project = None,
    now: AsOf = None,
    raw: Raw = None,
    catalog: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Evaluate the scores of this catalog; default: the one in force."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a user's whole life.

    Prints the status and its facts, the current scores, every event with what became of it, also of rejected ones,
    the offers, the campaigns that made none with their reasons, and what is due next. Reads the running emulators,
    a cloud project, or the store that a replay kept. Exits with 1 if nobody knows the user.

    The user's document holds 96 recent events, and decisions of 14 days. The rest is told by the raw log: beside
    the store, that of the emulators, or with --project BigQuery's raw tables, for which the analysts' requirements
    must be installed. A user whose document is gone is told from it, too. What is known to be missing is said.

    A --now before the user's last change shows the past, and says from where. The raw log tells what was known
    then. Without one, the document tells what is known now of the events up to then, as far back as its 96 recent
    events reach. Exits with 1 if neither reaches back to --now.

    Set UPBEAT_GRACE_DAYS and the like as they are set for the functions.

    For example:

        upbeat show ada
        upbeat show ada --store /tmp/tour --now 2026-04-16T00:00:00Z
    """
    from infra.inspect.user_page import Shown, page
    from infra.terminal.console import print_page

    known = known_user(Asked(user, store, project, now, raw), valid_catalog(catalog) if catalog else None)
    if as_json:
        print_json(_as_json(known))
        return
    about = (known.record, known.now, known.terms, known.life)
    print_page(page(Shown(*about, known.past, known.scores, known.catalog)))


def _as_json(known: KnownUser) -> Any:
    """Everything for programs: numbers are exact, and each message is whole."""
    from shared.queries.life import life_view
    from shared.queries.past import everything_then
    from shared.queries.user_view import everything, to_json

    record, now, terms, past = known.record, known.now, known.terms, known.past
    view = everything_then(past, now, terms) if past else everything(record, now, terms)
    scores = [score._asdict() for score in known.scores]
    return to_json({**view, "scores": scores, "life": life_view(known.life)})
