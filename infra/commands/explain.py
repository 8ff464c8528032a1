"""`explain`: the reasons behind a decision about a user."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, Project, print_json
from infra.commands.inputs import deployment_terms, valid_catalog
from infra.commands.inputs import moment as selected
from infra.commands.past import Raw, past_of, raw_log
from infra.commands.users import AsOf, Store, UserId, as_of, record_of
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

    Prints every campaign that was considered, its outcome, and the gate that stopped it. Explains the newest
    decision that the user's document still holds, or the newest about --moment. It holds the decisions of the last
    five events within 14 days, and of others whose messages may not be published yet. If there is none, --moment
    and --catalog together make a new decision, as if the moment occurred now, or at --now: nothing is written, and
    the answer is marked as hypothetical. It is decided even if the moment is not true of the user then, and the
    answer says so. Set UPBEAT_GRACE_DAYS and the like as for the functions.

    A --now before the user's last change explains the past, as show does: the newest decision by then, and a
    hypothetical one only if all that it asks for is known of that time; else exits with 1 and the reason.

    Reads the running emulators, a cloud project, or the store that a replay kept. Exits with 1 if the user is
    unknown or no decision is on record.

    For example:

        upbeat explain ada --store /tmp/tour
        upbeat explain ada --moment lapsed@7 --catalog new.yaml
    """
    from infra.inspect.decision_page import page
    from infra.inspect.user_page import past_lines
    from infra.terminal.console import print_page
    from shared.queries.explanation import as_if, recorded
    from shared.queries.user_view import summary

    wanted = selected(moment)
    content = valid_catalog(catalog) if catalog else None
    instant, terms = as_of(now, store, project), deployment_terms()
    record = record_of(user, store, project)
    log = raw_log(raw, store, project)
    past = past_of(record, instant, terms, log) if now else None
    record = past.record if past else record
    decisions = recorded(record, wanted)
    if not decisions and wanted and content:
        _check_decidable(user, past)
        decisions = [as_if(record, wanted, instant, content, terms)]
    if not decisions:
        raise InfraError(_no_decision(user, moment))
    if as_json:
        print_json(decisions[0])
    else:
        for line in past_lines(past):
            typer.echo(line)
        print_page(page(summary(record, instant, terms), decisions[0], decisions[1:]))


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
