"""The command line: `python -m infra`."""

from typing import Any

import typer
from typer.core import TyperGroup

from infra.commands.catalog import catalog
from infra.commands.demo import demo
from infra.commands.explain import explain
from infra.commands.listen import listen
from infra.commands.package import package
from infra.commands.publish import publish
from infra.commands.redrive import redrive
from infra.commands.replay import replay
from infra.commands.score import score
from infra.commands.show import show
from infra.commands.up import up
from infra.commands.whatif import whatif
from infra.errors import InfraError, UsageError


class Commands(TyperGroup):
    """Turns an error meant for people into its text and an exit code: 1 failed, 2 makes no sense."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except InfraError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, UsageError) else 1) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run Upbeat on this machine, speak to it, and package it.",
)
for command in (demo, replay, whatif, score, show, explain, up, publish, listen, redrive, package):
    app.command()(command)
app.add_typer(catalog, name="catalog")

if __name__ == "__main__":
    app(prog_name="python -m infra")
