"""`show`: everything that is stored about one user."""

from infra.commands.common import AsJson, Project, print_json
from infra.commands.inputs import deployment_terms
from infra.commands.past import Raw, past_of, raw_log
from infra.commands.users import AsOf, Store, UserId, as_of, record_of


def show(
    user: UserId,
    store: Store = None,
    project: Project = None,
    now: AsOf = None,
    raw: Raw = None,
    as_json: AsJson = False,
) -> None:
    """Show a user's subscription, timeline and triggers.

    Prints the status and its facts, the events behind it, the offers, the campaigns that made none with their
    reasons, and what is due next. Reads the running emulators, a cloud project, or the store that a replay kept.
    Exits with 1 if the user is unknown.

    A --now before the user's last change shows the past, and says from where. The raw log, which replay
    --keep-store and up write, tells what was known then. Without one, the document tells what is known now of the
    events up to then, as far back as its 96 recent events reach. Exits with 1 if neither reaches back to --now.

    Set UPBEAT_GRACE_DAYS and the like as they are set for the functions.

    For example:

        upbeat show ada
        upbeat show ada --store /tmp/tour --now 2026-04-16T00:00:00Z
    """
    from infra.inspect.user_page import page
    from infra.terminal.console import print_page
    from shared.queries.past import everything_then
    from shared.queries.user_view import everything, to_json

    instant, terms = as_of(now, store, project), deployment_terms()
    record = record_of(user, store, project)
    log = raw_log(raw, store, project)
    past = past_of(record, instant, terms, log) if now else None
    if as_json:
        view = everything_then(past, instant, terms) if past else everything(record, instant, terms)
        print_json(to_json(view))
    else:
        print_page(page(record, instant, terms, past))
