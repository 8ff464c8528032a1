"""`doctor`: what this machine has of what Upbeat can use."""

import typer

from infra.commands.common import AsJson, print_json


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, what is missing, and how to get it.

    Tells what each thing is for. Changes nothing. Only Python and the installed requirements are needed; all else
    adds something.

    Exit codes: 0 if Upbeat can run here, 1 if it cannot.

    For example:

        upbeat doctor
    """
    from infra.emulator.machine import findings, page
    from infra.terminal.console import print_page

    found = [*findings()]
    if as_json:
        print_json([each._asdict() for each in found])
    else:
        print_page(page(found))
    if any(each.is_needed and not each.found for each in found):
        raise typer.Exit(1)
