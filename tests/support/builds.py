"""The steps of the Cloud Build files, and a way to run one here as a build does."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.topology import ROOT

FILES = {
    "build": ROOT / "cloudbuild.yaml",
    "release": ROOT / "infra" / "deploy" / "release.cloudbuild.yaml",
}
PRIVATE = re.compile(r"(?<![\w.])/(?:tmp|cache|sdk)\b")
"""Folders that every container of a build has for itself, or that only a build has."""


def build(file: str) -> dict[str, Any]:
    """A build file, by its name in `FILES`."""
    return yaml.safe_load(FILES[file].read_text())


def steps(file: str) -> dict[str, dict[str, Any]]:
    """The steps of a build file, by id."""
    return {step["id"]: step for step in build(file)["steps"]}


def run_step(
    file: str, step: str, workspace: Path, private: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step's script in a workspace. `private` stands for the folders that only a build has."""
    for folder in ("tmp", "cache", "sdk"):
        (private / folder).mkdir(parents=True, exist_ok=True)
    text = PRIVATE.sub(lambda found: f"{private}{found[0]}", steps(file)[step]["script"])
    script = private / f"{step}.sh"
    script.write_text(text)
    script.chmod(0o755)
    whole = {**os.environ, **env}
    return subprocess.run(  # noqa: S603 - our own script
        [str(script)], cwd=workspace, env=whole, capture_output=True, text=True, check=False
    )
