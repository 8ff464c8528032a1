"""The images of the warehouse's job and of Dataflow's workers: what their Dockerfiles take and install."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.topology import ROOT
from tests.support.builds import steps

FILE = "infra/deploy/warehouse.Dockerfile"
LINES = [line.split() for line in (ROOT / FILE).read_text().splitlines() if line and line[0] != "#"]
COPIED = [path for keyword, *paths in LINES if keyword == "COPY" for path in paths[:-1]]
NOT_UPLOADED = shutil.ignore_patterns("__pycache__", "build", ".terraform")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder of the image, before anything is installed."""
    for path in COPIED:
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, tmp_path / path, ignore=NOT_UPLOADED)
        else:
            shutil.copyfile(ROOT / path, tmp_path / path)
    return tmp_path


def test_its_build_takes_this_file_and_pushes_the_image_that_it_tags():
    image = yaml.safe_load((ROOT / "infra/deploy/image.cloudbuild.yaml").read_text())
    (step,) = image["steps"]
    option, file = step["args"][1:3]
    assert (option, file.replace("$_DOCKERFILE", image["substitutions"]["_DOCKERFILE"])) == ("--file", FILE)
    assert [step["args"][step["args"].index("--tag") + 1]] == image["images"] == ["$_IMAGE"]


def test_the_python_of_the_image_is_the_one_of_the_build():
    assert LINES[0] == ["FROM", steps("build")["zips"]["name"]]


def test_the_image_has_what_its_targets_of_the_makefile_need(copied):
    (targets,) = [words for keyword, *words in LINES if keyword == "RUN"]
    done = subprocess.run(["make", "-n", *targets[1:]], cwd=copied, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert (targets[0], done.returncode) == ("make", 0), done.stderr
    for requirements in ("local", "analytics"):
        assert f"--require-hashes -r .ci/requirements-{requirements}.txt" in done.stdout


def test_the_command_line_runs_from_what_the_image_has(copied):
    pytest.importorskip("sqlglot", reason="needs the analysts' requirements: make .venv/.analytics")
    command = [sys.executable, "-m", "infra", "warehouse", "docs", "--out", "models.md"]
    done = subprocess.run(  # noqa: S603
        command,
        cwd=copied,
        env=os.environ | {"PYTHONPATH": str(copied)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "subscription_daily" in (copied / "models.md").read_text()


def test_the_workers_of_dataflow_have_the_pinned_beam_and_the_python_of_the_build():
    first = (ROOT / "infra/deploy/beam.Dockerfile").read_text().partition("\nFROM ")[2].splitlines()[0]
    (pinned,) = re.findall(r"^apache-beam==(\S+)", (ROOT / ".ci/requirements-beam.txt").read_text(), re.MULTILINE)
    minor = re.match(r"python:(\d+\.\d+)", steps("build")["zips"]["name"])
    assert minor
    assert first == f"apache/beam_python{minor[1]}_sdk:{pinned}"
