"""The command line: `upbeat` where the package is installed, `python -m infra` anywhere else."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from infra.commands.catalog import catalog
from infra.commands.clock import clock
from infra.commands.console import console
from infra.commands.dead_letters import dead_letters
from infra.commands.demo import demo
from infra.commands.doctor import doctor
from infra.commands.erase import erase
from infra.commands.experiment import experiment
from infra.commands.explain import explain
from infra.commands.export import export
from infra.commands.features import features
from infra.commands.listen import listen
from infra.commands.model import model
from infra.commands.package import package
from infra.commands.policy import policy
from infra.commands.publish import publish
from infra.commands.rebuild import rebuild
from infra.commands.redrive import redrive
from infra.commands.replay import replay
from infra.commands.report import report
from infra.commands.rollback import rollback
from infra.commands.score import score
from infra.commands.show import show
from infra.commands.smoke import smoke
from infra.commands.train import train
from infra.commands.trigger import trigger
from infra.commands.up import up
from infra.commands.warehouse import warehouse
from infra.commands.whatif import whatif
from infra.errors import InfraError, UsageError
from infra.terminal.help_page import CONTEXT, Command

COMMANDS = (
    demo,
    replay,
    whatif,
    score,
    train,
    show,
    explain,
    up,
    console,
    clock,
    trigger,
    publish,
    listen,
    redrive,
    export,
    erase,
    rebuild,
    package,
    smoke,
    rollback,
    doctor,
)
GROUPS = {
    "catalog": catalog,
    "dead-letters": dead_letters,
    "warehouse": warehouse,
    "report": report,
    "experiment": experiment,
    "model": model,
    "policy": policy,
    "features": features,
}
"""The commands that have commands of their own."""
EXIT_CODES = """
Exit codes: 0 for success, 1 for a failure, 2 for arguments or an input file that make no sense.
"""


class Commands(TyperGroup):
    """The group of all commands. Prints an `InfraError` and exits with 1, or with 2 for a `UsageError`."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except InfraError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error


def command_line(*, completion: bool) -> typer.Typer:
    """The command line, with or without the options that install shell completion."""
    line = typer.Typer(
        name="upbeat",
        cls=Commands,
        no_args_is_help=True,
        add_completion=completion,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help pages: paragraphs wrap, flags show without a type, pipes get no boxes
        context_settings=CONTEXT,
        epilog=EXIT_CODES,
    )
    line.callback()(upbeat)
    for command in COMMANDS:
        line.command(cls=Command)(command)
    for name, group in GROUPS.items():
        line.add_typer(group, name=name)
    return line


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - a tenth of what --help costs

    try:
        typer.echo(f"upbeat {version('upbeat')}")
    except PackageNotFoundError:
        typer.echo("upbeat, version unknown: not installed (make, or pip install -e ., installs it)")
    raise typer.Exit


def upbeat(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run Upbeat on this machine, inspect it, and package it.

    Start with the demo, which needs no network, no emulators and no account. The --help of a command explains it
    and shows an example.
    """


app = command_line(completion=True)


def main() -> None:
    """Run `upbeat`, the installed command."""
    app(prog_name="upbeat")


if __name__ == "__main__":
    # Shells complete the name of a program, and this one is called python: no completion.
    command_line(completion=False)(prog_name="python -m infra")
