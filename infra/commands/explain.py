"""`explain`: the reasons behind a decision about a user."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, Project, print_json
from infra.commands.inputs import moment as selected
from infra.commands.inputs import valid_catalog
from infra.commands.known_user import Asked, known_user
from infra.commands.raw_log import Raw
from infra.commands.users import AsOf, Store, UserId
from infra.errors import InfraError

if TYPE_CHECKING:
    from shared.queries.past import Past


def explain(
    user: UserId,
    moment: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="Explain the newest decision about this moment, such as lapsed@7."),
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Decide by this catalog, as if --moment occurred now, if it never did."),
    ] = None,
    store: Store = None,
    project: Project = None,
    now: AsOf = None,
    raw: Raw = None,
    as_json: AsJson = False,
) -> None:
    """Explain a decision about a user, candidate by candidate.

    Prints every campaign that was considered, its outcome, and the gate that stopped it; of an audience the clause
    that was not true and the values that it asked for. Explains the newest decision on record, or the newest about
    one moment. The user's document holds the decisions of the last five events within 14 days. The raw log, which
    show describes, holds all of them.

    If there is none, --moment and --catalog together make a new decision, as if the moment occurred now, or at
    --now: nothing is written, and the answer is marked as hypothetical. It is decided even if the moment is not
    true of the user then, and the answer says so. Set UPBEAT_GRACE_DAYS and the like as for the functions.

    A --now before the user's last change explains the past, as show does: the newest decision by then, and a
    hypothetical one only if all that it asks for is known of that time; else exits with 1 and the reason.

    Reads the running emulators, a cloud project, or the store that a replay kept. Exits with 1 if the user is
    unknown or no decision is on record.

    For example:

        upbeat explain ada --store /tmp/tour
        upbeat explain ada --moment lapsed@7 --catalog new.yaml
    """
    from infra.inspect.decision_page import page
    from infra.inspect.user_page import where_from
    from infra.terminal.console import print_page
    from shared.queries.explanation import as_if, recorded
    from shared.queries.user_view import summary

    wanted = selected(moment)
    content = valid_catalog(catalog) if catalog else None
    known = known_user(Asked(user, store, project, now, raw), content)
    decisions = recorded(known.life, wanted)
    if not decisions and wanted and content:
        _check_decidable(user, known.past)
        decisions = [as_if(known.record, wanted, known.now, content, known.terms)]
    if not decisions:
        raise InfraError(_no_decision(user, moment))
    newest, *older = decisions
    if as_json:
        print_json(newest)
        return
    for line in where_from(known.life, known.past):
        typer.echo(line)
    state = summary(known.record, known.now, known.terms)
    print_page(page(state, newest, older, known.catalogs.of(newest["catalog_version"])))


def _check_decidable(user: str, past: "Past | None") -> None:
    """Raise `InfraError` if a decision of the past would ask for what is not known of it."""
    if past and past.undecidable:
        missing = ", ".join(past.undecidable)
        raise InfraError(f"a decision about {user!r} at that time cannot be made: not all is known of {missing}")


def _no_decision(user: str, moment: str | None) -> str:
    if moment:
        hint = f"add --catalog FILE to see the decision if {moment} occurred now"
        return f"no decision about {moment} is on record for {user!r}; {hint}"
    hint = "add --moment MOMENT and --catalog FILE to see a hypothetical one"
    return f"no decision is on record for {user!r}; {hint}"
