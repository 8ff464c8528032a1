"""`show`: everything that is stored about one user."""

from infra.commands.common import AsJson, Project, print_json
from infra.commands.inputs import deployment_terms
from infra.commands.users import AsOf, Store, UserId, as_of, record_of


def show(
    user: UserId, store: Store = None, project: Project = None, now: AsOf = None, as_json: AsJson = False
) -> None:
    """Show a user's subscription, timeline and triggers.

    Prints the status and its facts, the events behind it, the offers, the campaigns that made none with their
    reasons, and what is due next. Reads the running emulators, a cloud project, or the store that a replay kept.
    Exits with 1 if the user is unknown. Set UPBEAT_GRACE_DAYS and the like as they are set for the functions.

    For example:

        upbeat show ada
        upbeat show ada --store /tmp/tour --now 2026-04-16T00:00:00Z
    """
    from infra.inspect.user_page import page
    from infra.terminal.console import print_page
    from shared.queries.user_view import everything, to_json

    instant, terms = as_of(now, store), deployment_terms()
    record = record_of(user, store, project)
    if as_json:
        print_json(to_json(everything(record, instant, terms)))
    else:
        print_page(page(record, instant, terms))
