"""The image of the decisions service over gRPC: the folder of which its build makes it."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from infra.deploy.package import compose
from infra.topology import ROOT
from tests.support.builds import steps

BUILD = yaml.safe_load((ROOT / "infra/deploy/grpc.cloudbuild.yaml").read_text())
FOLDER, IMAGE = BUILD["steps"]
BUILT = "infra/build/decisions_grpc"


def test_it_pushes_the_image_that_it_builds() -> None:
    assert IMAGE["args"][:2] == ["build", "$_IMAGE"]
    assert BUILD["images"] == ["$_IMAGE"]


def test_one_python_compiles_runs_and_is_that_of_the_other_builds() -> None:
    assert FOLDER["name"] == steps("build")["zips"]["name"]
    version = FOLDER["name"].removeprefix("python:").rpartition(".")[0].split("-")[0]
    minor = ".".join(version.split(".")[:2])
    assert f"--env=GOOGLE_PYTHON_VERSION={minor}.x" in IMAGE["args"]


def test_the_folder_is_the_packaged_one_with_its_modules_compiled(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    tools = {
        "bin/make": "#!/bin/sh\n",
        ".venv/bin/upbeat": f'#!/bin/sh\nexec {sys.executable} -m infra "$@"\n',
        ".venv/bin/python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
        "script": FOLDER["script"],
    }
    for path, text in tools.items():
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    subprocess.run([tmp_path / "script"], cwd=tmp_path, env=env, check=True)  # noqa: S603
    built, composed = tmp_path / BUILT, compose("decisions_grpc", tmp_path / "composed", precompile=True)
    assert f"--path={BUILT}" in IMAGE["args"]
    assert files(built) == files(composed)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def pins(requirements: Path) -> set[str]:
    return {line.split()[0] for line in requirements.read_text().splitlines() if "==" in line}


def test_it_installs_what_functions_do_at_the_same_versions_and_what_its_server_needs() -> None:
    functions, own = pins(ROOT / "requirements.txt"), pins(ROOT / "functions/decisions_grpc/requirements.txt")
    assert functions <= own
    assert {pin.partition("==")[0] for pin in own - functions} == {"grpcio-health-checking", "grpcio-reflection"}


def test_it_holds_no_tool_for_people_or_analysts_and_starts_what_it_holds(tmp_path: Path) -> None:
    composed = compose("decisions_grpc", tmp_path / "composed")
    names = {pin.partition("==")[0] for pin in pins(composed / "requirements.txt")}
    assert names & {"django", "wagtail", "duckdb", "numpy", "pyarrow", "rich", "scipy", "typer", "pyyaml"} == set()
    kind, command = (composed / "Procfile").read_text().strip().split(": ")
    assert (kind, command.split()) == ("web", ["python", "main.py"])
    assert (composed / "main.py").is_file()
