"""`package`: write each function's deployable zip."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.common import AsJson, say


def package(
    function: Annotated[
        list[str] | None, typer.Argument(help="Functions to package; all if none is named.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for the zips.")] = Path("build"),
    as_json: AsJson = False,
) -> None:
    """Write each function's deployable zip; the same sources give the same bytes on every machine."""
    from infra.deploy.package import zip_function
    from infra.topology import known, load

    functions = tuple(load().functions)
    for name in [known(name, functions, "function") for name in function or functions]:
        archive = zip_function(name, out / f"{name}.zip")
        digest = sha256(archive.read_bytes()).hexdigest()
        facts = {"function": name, "zip": str(archive), "sha256": digest}
        say(f"{archive}  sha256 {digest}", as_json=as_json, facts=facts)
