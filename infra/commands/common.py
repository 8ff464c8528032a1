"""What the commands have in common: their options, their output, and the bus they speak to."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from infra.remote.pubsub import Bus

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, for programs to read.")]
Project = Annotated[
    str | None,
    typer.Option(help="A Google Cloud project to speak to, instead of the emulators running here."),
]


def say(text: str, *, as_json: bool, facts: Any) -> None:
    """Print a result: the text for people, or the facts as one line of JSON."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else text)


def bus_of(project: str | None) -> "Bus":
    """The bus of a cloud project, else of the emulators that are up. Raises `InfraError` if none are."""
    from infra.remote.pubsub import Bus
    from infra.remote.running import find

    return Bus.of_cloud(project) if project else Bus.of_emulator(find().endpoints)
