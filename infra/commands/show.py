"""`show`: everything Upbeat knows of one user."""

from infra.commands.common import AsJson, Project, say
from infra.commands.users import AsOf, Store, UserId, as_of, record_of


def show(
    user: UserId, store: Store = None, project: Project = None, now: AsOf = None, as_json: AsJson = False
) -> None:
    """Show a user: the state, what led to it, what was offered, what was not and why, and what is due next.

    The user is looked for in the emulators that are up, unless --store or --project says otherwise.
    """
    from rich.console import Console

    from infra.inspect.user_page import page
    from shared.domain.terms import Terms
    from shared.queries.user_view import everything, to_json

    instant = as_of(now, store)
    record = record_of(user, store, project)
    if as_json:
        say("", as_json=True, facts=to_json(everything(record, instant, Terms())))
    else:
        Console(highlight=False).print(page(record, instant, Terms()))
