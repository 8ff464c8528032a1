"""`package`: write the deployable zip of each function and service."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.common import AsJson, print_result
from infra.commands.inputs import writing_into

ZIPS = Path("infra") / "build"
"""The folder from which Terraform takes the zips; it is the default of the variable `zips`."""


def package(
    function: Annotated[
        list[str] | None, typer.Argument(metavar="FUNCTION", help="The functions to package; default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for the zips.")] = ZIPS,
    as_json: AsJson = False,
) -> None:
    """Write the deployable zip of each function.

    A zip holds the function's main.py, the modules of shared/ that it imports, and requirements.txt. The same
    sources give the same bytes on every machine, so the printed SHA-256 changes only with the function's code or
    requirements. Overwrites FUNCTION.zip in --out.

    For example:

        upbeat package payment trial_start --out /tmp/zips
    """
    from hashlib import sha256

    from infra.deploy.package import zip_function
    from infra.terminal.progress import bar
    from infra.topology import known, load

    functions = load().packaged
    names = [known(name, functions, "function") for name in function or functions]
    with bar("packaging") as progress:
        for number, name in enumerate(names, 1):
            with writing_into(out):
                archive = zip_function(name, out / f"{name}.zip")
            progress(number / len(names))
            digest = sha256(archive.read_bytes()).hexdigest()
            facts = {"function": name, "zip": str(archive), "sha256": digest}
            print_result(f"{archive}  sha256 {digest}", as_json=as_json, facts=facts)
