"""The job that builds the models: what it runs, and what of it the command line and the image know."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from infra.__main__ import command_line
from tests.infra.terraform.offline import IMAGE, Applied
from tests.infra.terraform.resources import Resource, of_type, resources

COMMANDS = ["warehouse run", "warehouse check", "experiment guard"]
UPBEAT = """#!/bin/sh
echo "$1 $2" >> "$CALLS"
[ "$1 $2" != "$FAILS" ]
"""


@pytest.fixture(scope="module")
def found(stub: Applied, tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """The resources of the applied environment, in which the job has an image."""
    outcome = stub.plan(lambda _tree: None, tmp_path_factory.mktemp("job"))
    assert outcome.plan, outcome.errors
    return resources(outcome.plan)


@pytest.fixture(scope="module")
def container(found: list[Resource]) -> dict[str, Any]:
    """The job's container."""
    (job,) = of_type(found, "google_cloud_run_v2_job")
    return job.values["template"][0]["template"][0]["containers"][0]


def run(container: dict[str, Any], folder: Path, fails: str) -> tuple[bool, list[str]]:
    """Run the job with an `upbeat` of the test. Returns whether it succeeded, and the commands that it ran."""
    (folder / "upbeat").write_text(UPBEAT)
    (folder / "upbeat").chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(folder / "calls"), "FAILS": fails}
    done = subprocess.run([*container["command"], *container["args"]], env=environment, check=False)  # noqa: S603
    return done.returncode == 0, (folder / "calls").read_text().splitlines()


def test_the_job_builds_then_checks_then_guards(container: dict[str, Any], tmp_path: Path) -> None:
    assert container["image"] == IMAGE
    assert run(container, tmp_path, "nothing") == (True, COMMANDS)


@pytest.mark.parametrize("fails", COMMANDS)
def test_a_job_ends_and_has_failed_with_the_first_command_that_fails(
    container: dict[str, Any], tmp_path: Path, fails: str
) -> None:
    assert run(container, tmp_path, fails) == (False, COMMANDS[: COMMANDS.index(fails) + 1])


def test_every_option_of_the_job_is_one_of_its_command(container: dict[str, Any]) -> None:
    groups = typer.main.get_command(command_line(completion=False)).commands
    for line in container["args"][0].splitlines():
        _, group, name, *options = shlex.split(line)
        given = groups[group].commands[name].make_context(name, options).params
        assert given["where"] == "bigquery:upbeat-dev.upbeat_models?raw=upbeat"


def test_a_schedule_starts_the_job_as_an_account_that_may(found: list[Resource]) -> None:
    (job,) = of_type(found, "google_cloud_run_v2_job")
    (schedule,) = of_type(found, "google_cloud_scheduler_job", "warehouse")
    (target,) = schedule.values["http_target"]
    (invoker,) = of_type(found, "google_cloud_run_v2_job_iam_member")
    address = f"projects/upbeat-dev/locations/{job.values['location']}/jobs/{job.values['name']}:run"
    assert (target["http_method"], target["uri"]) == ("POST", f"https://run.googleapis.com/v2/{address}")
    assert invoker.values["member"] == f"serviceAccount:{target['oauth_token'][0]['service_account_email']}"


def test_the_alert_is_about_the_job(found: list[Resource]) -> None:
    (job,) = of_type(found, "google_cloud_run_v2_job")
    (alert,) = [each for each in of_type(found, "google_monitoring_alert_policy") if each.key == "models"]
    filter_ = alert.values["conditions"][0]["condition_threshold"][0]["filter"]
    assert re.findall(r'job_name="([^"]*)"', filter_) == [job.values["name"]]
