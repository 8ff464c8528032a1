"""`explain`: why a user was offered what they were, and why nothing else."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.common import AsJson, Project, say
from infra.commands.inputs import moment as selected
from infra.commands.inputs import valid_catalog
from infra.commands.users import AsOf, Store, UserId, as_of, record_of
from infra.errors import InfraError


def explain(
    user: UserId,
    moment: Annotated[
        str | None,
        typer.Option(metavar="M", help="The newest decision about this moment, such as payment.failed."),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="A catalog to decide by, as if --moment came now, where it never did.")
    ] = None,
    store: Store = None,
    project: Project = None,
    now: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Explain a decision about a user: every campaign considered, and the gate that stopped it.

    It is the newest decision that the user's document still holds (they are kept for 14 days), or the newest
    about a moment. Where there is none, --catalog and --moment together decide afresh, as if the moment came now:
    nothing is written, and the answer says that it is hypothetical.
    """
    from rich.console import Console

    from infra.inspect.decision_page import page
    from shared.domain.terms import Terms
    from shared.queries.explanation import as_if, recorded
    from shared.queries.user_view import summary

    wanted = selected(moment)
    content = valid_catalog(catalog) if catalog else None
    instant = as_of(now, store)
    record = record_of(user, store, project)
    decisions = recorded(record, wanted.kind if wanted else None)
    if not decisions and wanted and content:
        decisions = [as_if(record, wanted, instant, content, Terms())]
    if not decisions:
        raise InfraError(_nothing(user, moment))
    if as_json:
        say("", as_json=True, facts=decisions[0])
    else:
        Console(highlight=False).print(page(summary(record, instant, Terms()), decisions[0], decisions[1:]))


def _nothing(user: str, moment: str | None) -> str:
    if moment:
        hint = f"add --catalog FILE to see what would be decided if {moment} came now"
        return f"no decision about {moment} is on record for {user!r}; {hint}"
    return f"no decision is on record for {user!r}; --moment M and --catalog FILE tell what would be decided"
