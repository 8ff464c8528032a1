"""What can be checked of the development container without a container engine."""

import json
import re

import yaml

from infra.topology import ROOT

FOLDER = ROOT / ".devcontainer"
SETTINGS = json.loads(re.sub(r"^\s*//.*$", "", (FOLDER / "devcontainer.json").read_text(), flags=re.MULTILINE))
DOCKERFILE = (FOLDER / "Dockerfile").read_text()


def test_it_has_the_python_with_which_cloud_build_tests() -> None:
    build = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
    (tested,) = [step["name"] for step in build["steps"] if step["id"] == "test"]
    assert re.findall(r"^FROM (.+)$", DOCKERFILE, re.MULTILINE) == [tested]


def test_it_names_files_targets_and_a_user_that_there_are() -> None:
    assert (FOLDER / SETTINGS["build"]["dockerfile"]).exists()
    assert f"\nUSER {SETTINGS['remoteUser']}\n" in DOCKERFILE
    target = SETTINGS["postCreateCommand"].removeprefix("make .venv/.")
    assert (ROOT / f".ci/requirements-{target}.txt").exists()


def test_it_forwards_the_ports_of_make_up() -> None:
    settings = (ROOT / "docs/settings.md").read_text()
    (ports,) = re.findall(r"^\| `UPBEAT_EMULATOR_PORTS` \| `([\d,]+)`", settings, re.MULTILINE)
    assert sorted(map(int, ports.split(","))) == SETTINGS["forwardPorts"]
