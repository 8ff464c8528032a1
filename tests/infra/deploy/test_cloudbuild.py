"""The two build files: what they say, and what their scripts do with a gcloud and a terraform of the test."""

import json
import re
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from infra.topology import ROOT, load
from tests.support.builds import FILES, build, run_step, steps

IMAGE = re.compile(r"(?P<name>[a-z./-]+):(?P<tag>[\w.-]+)@sha256:[0-9a-f]{64}")
STEPS = [(file, step) for file in FILES for step in steps(file)]
LAST = ("apply", "catalog", "smoke")


def image(file: str, step: str) -> dict[str, str]:
    match = IMAGE.fullmatch(steps(file)[step]["name"])
    assert match, f"{file}/{step}: expected an image with a tag and a digest, found {steps(file)[step]['name']}"
    return match.groupdict()


def test_the_steps_come_in_the_order_in_which_each_needs_the_one_before():
    order = ["entries", "lint", "test", "zips", "plan", "release", "apply", "catalog", "smoke"]
    assert [step for step in steps("build") if step in order] == order
    assert list(steps("release")) == ["fetch", *LAST]


@pytest.mark.parametrize("file", FILES)
def test_a_build_runs_as_the_deployer_and_logs_to_cloud_logging_alone(file):
    deployer = "projects/$PROJECT_ID/serviceAccounts/upbeat-deployer@$PROJECT_ID.iam.gserviceaccount.com"
    assert build(file)["serviceAccount"] == deployer
    assert build(file)["options"]["logging"] == "CLOUD_LOGGING_ONLY"


@pytest.mark.parametrize("file", FILES)
def test_the_timeouts_of_the_steps_are_within_the_one_of_the_build(file):
    seconds = [int(step["timeout"].removesuffix("s")) for step in steps(file).values()]
    assert len(seconds) == len(build(file)["steps"])
    assert max(seconds) <= int(build(file)["timeout"].removesuffix("s")) <= sum(seconds)


@pytest.mark.parametrize(("file", "step"), STEPS)
def test_a_script_is_one_that_its_shell_can_read(file, step, tmp_path):
    script = tmp_path / "script"
    script.write_text(steps(file)[step]["script"])
    shell = script.read_text().splitlines()[0].split("/")[-1].split()[-1]
    assert shell in {"bash", "sh"}
    subprocess.run([shell, "-n", str(script)], check=True)  # noqa: S603
    assert re.search(r"^set -euo? ?", script.read_text(), re.MULTILINE)


def test_one_image_has_one_version_in_both_files():
    used = sorted({steps(file)[step]["name"] for file, step in STEPS})
    for name, versions in groupby(used, key=lambda image: image.split(":")[0]):
        assert len(list(versions)) == 1, f"{name} has several versions"


@pytest.mark.parametrize("step", ["entries", "lint", "test", "zips", "catalog", "smoke"])
def test_the_python_of_the_build_is_the_one_of_the_functions(step):
    found = image("build", step)
    assert found["name"] == "python"
    minor = ".".join(found["tag"].split(".")[:2])
    assert {function.runtime for function in load().deployed.values()} == {f"python{minor.replace('.', '')}"}


def test_the_terraform_of_the_build_is_one_that_the_module_accepts():
    least = re.search(r'required_version = ">= ([\d.]+)"', (ROOT / "infra/terraform/versions.tf").read_text())[1]
    assert image("build", "plan")["name"] == "hashicorp/terraform"
    found = tuple(map(int, image("build", "plan")["tag"].split(".")))
    assert found >= tuple(map(int, least.split(".")))


@pytest.mark.parametrize("step", ["catalog", "smoke"])
def test_both_builds_end_with_the_same_commands(step):
    first, second = (steps(file)[step]["script"].splitlines() for file in ("build", "release"))
    assert [line for line in first if "waits for approval" not in line] == second


@pytest.mark.parametrize("file", FILES)
def test_every_variable_of_a_script_is_given_to_it(file):
    """Cloud Build makes no substitution in a script: it maps them into the environment, or the step does."""
    mapped = {"PROJECT_ID", "BUILD_ID", *build(file)["substitutions"]}
    for name, step in steps(file).items():
        given = {each.split("=")[0] for each in step.get("env", [])}
        used = set(re.findall(r"\$\{?(_?[A-Z][A-Z0-9_]+)", step["script"]))
        known = mapped if build(file)["options"].get("automapSubstitutions") else given
        assert used <= known, f"{name} uses {used - known}"


class Build:
    """A build's workspace, and the tools that its steps find."""

    def __init__(self, folder: Path, gcloud) -> None:
        self.workspace, self.private, self.gcloud = folder / "workspace", folder / "private", gcloud
        self.workspace.mkdir(parents=True)
        self.variables = {"PROJECT_ID": "some-project", "BUILD_ID": "build-1", "_ENVIRONMENT": "prod"}
        self.variables |= {"_CATALOG": "", "_AUTHOR": ""}
        self.tool("make", "")
        self.tool("terraform", "")

    def tool(self, name: str, answer: str) -> None:
        """Put a tool on the path that notes its arguments and runs a line of shell."""
        tool = self.gcloud.bin / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.gcloud.folder}/calls\n{answer}\n')
        tool.chmod(0o755)

    def command(self) -> None:
        """Put an `upbeat` into the workspace that notes its arguments."""
        self.write(".venv/bin/upbeat", f'#!/bin/sh\necho "upbeat $*" >> {self.gcloud.folder}/calls\n')
        (self.workspace / ".venv/bin/upbeat").chmod(0o755)

    @property
    def calls(self) -> list[str]:
        notes = self.gcloud.folder / "calls"
        return notes.read_text().splitlines() if notes.exists() else []

    def write(self, path: str, text: str) -> None:
        (self.workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (self.workspace / path).write_text(text)

    def files(self) -> dict[str, str]:
        found = (path for path in self.workspace.rglob("*") if path.is_file())
        return {path.relative_to(self.workspace).as_posix(): path.read_text() for path in found}

    def run(self, file: str, step: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = self.variables | variables | dict(self.gcloud.on_path())
        return run_step(file, step, self.workspace, self.private, env)


@pytest.fixture
def first(tmp_path, gcloud):
    made = Build(tmp_path / "first", gcloud)
    for path, text in {
        ".ci/requirements-dev.txt": "ruff==1",
        ".venv/bin/upbeat": "not for a release",
        "infra/build/payment.zip": "a zip",
        "infra/terraform/.terraform/providers": "not for a release",
        "infra/terraform/.terraform.lock.hcl": "a lock",
        "infra/terraform/upbeat.tfplan": "a plan",
        "infra/terraform/upbeat.tfplan.txt": "2 to add",
        "infra/terraform/versions.tf": "a range",
    }.items():
        made.write(path, text)
    return made


@pytest.fixture
def second(tmp_path, gcloud):
    return Build(tmp_path / "second", gcloud)


def test_the_second_build_gets_exactly_what_the_first_one_planned(first, second, gcloud):
    assert first.run("build", "release").returncode == 0
    ((topic, message),) = gcloud.state["messages"]
    told = json.loads(message)
    assert (topic, told["release"]) == ("upbeat-releases", "build-1")
    fetched = second.run("release", "fetch", _RELEASE=told["release"], _SHA256=told["sha256"])
    assert fetched.returncode == 0, fetched.stderr
    left_out = {".venv/bin/upbeat", "infra/terraform/.terraform/providers"}
    assert second.files() == {path: text for path, text in first.files().items() if path not in left_out}
    shown = gcloud.folder / "objects/some-project-upbeat-state/releases/build-1/plan.txt"
    assert shown.read_text() == "2 to add"


def test_a_release_that_is_not_the_announced_one_is_refused(first, second, gcloud):
    first.run("build", "release")
    told = json.loads(gcloud.state["messages"][0][1])
    first.write("infra/terraform/upbeat.tfplan", "another plan")
    first.run("build", "release")
    fetched = second.run("release", "fetch", _RELEASE="build-1", _SHA256=told["sha256"])
    assert fetched.returncode != 0
    assert "FAILED" in fetched.stdout
    assert second.files() == {}


def test_a_release_that_does_not_exist_is_refused(second):
    fetched = second.run("release", "fetch", _RELEASE="build-9", _SHA256="0" * 64)
    assert fetched.returncode != 0
    assert "NOT_FOUND" in fetched.stderr


def test_dev_asks_nobody(first, gcloud):
    done = first.run("build", "release", _ENVIRONMENT="dev")
    assert (done.returncode, done.stdout) == (0, "dev: applied by this build\n")
    assert gcloud.changes == []


@pytest.mark.parametrize("step", LAST)
def test_the_first_build_of_prod_applies_nothing(first, step):
    done = first.run("build", step)
    assert (done.returncode, done.stdout) == (0, "prod: waits for approval\n")
    assert first.calls == []


def test_the_first_build_of_dev_applies_its_plan(first):
    assert first.run("build", "apply", _ENVIRONMENT="dev").returncode == 0
    assert first.calls == ["terraform apply upbeat.tfplan"]


def test_the_second_build_applies_the_plan_with_the_providers_of_the_first(first):
    assert first.run("release", "apply").returncode == 0
    assert first.calls == [
        "terraform init -backend-config=bucket=some-project-upbeat-state -lockfile=readonly",
        "terraform apply upbeat.tfplan",
    ]


VARIABLES = "-var-file=env/prod.tfvars -var=project=some-project"
TARGETED = f"terraform apply -auto-approve -target=google_cloudbuild_trigger.release {VARIABLES}"


@pytest.mark.parametrize(
    ("environment", "state", "targeted"),
    [
        ("prod", "exit 1", True),
        ("prod", "echo google_pubsub_topic.topic", True),
        ("prod", "echo 'google_cloudbuild_trigger.release[\"release\"]'", False),
        ("dev", "exit 1", False),
    ],
)
def test_only_the_first_plan_of_prod_makes_the_trigger_that_asks_for_approval(first, environment, state, targeted):
    first.tool("terraform", f'case "$*" in "state list") {state} ;; show*) echo 2 to add ;; esac')
    assert first.run("build", "plan", _ENVIRONMENT=environment).returncode == 0
    assert (TARGETED in first.calls) == targeted
    plan = f"terraform plan -out=upbeat.tfplan -var-file=env/{environment}.tfvars -var=project=some-project"
    assert first.calls[-2:] == [plan, "terraform show -no-color upbeat.tfplan"]
    assert first.files()["infra/terraform/upbeat.tfplan.txt"] == "2 to add\n"


def test_a_plan_that_fails_ends_the_step(first):
    first.tool("terraform", 'case "$*" in plan*) exit 1 ;; esac')
    assert first.run("build", "plan", _ENVIRONMENT="dev").returncode == 1


def test_the_cache_is_kept_until_a_pinned_version_changes(first, gcloud):
    restored = first.run("build", "restore-cache")
    assert "no cache yet" in restored.stdout
    (first.private / "cache/pip/wheel").write_text("a wheel")
    assert first.run("build", "save-cache").returncode == 0

    next_build = Build(first.workspace.parent / "next", gcloud)
    next_build.write(".ci/requirements-dev.txt", "ruff==1")
    next_build.write("infra/terraform/versions.tf", "a range")
    next_build.run("build", "restore-cache")
    assert (next_build.private / "cache/pip/wheel").read_text() == "a wheel"
    gcloud.forget()
    assert next_build.run("build", "save-cache").returncode == 0
    assert gcloud.changes == []

    next_build.write(".ci/requirements-dev.txt", "ruff==2")
    assert "no cache yet" in next_build.run("build", "restore-cache").stdout


def test_the_tests_of_a_build_find_the_emulators(first, gcloud):
    for component in ("pubsub-emulator", "cloud-firestore-emulator", "bundled-python"):
        folder = gcloud.folder / "sdk/platform" / component
        folder.mkdir(parents=True)
        (folder / "some.jar").write_text(component)
    assert first.run("build", "emulators").returncode == 0
    copied = {path.parent.name for path in (first.private / "sdk/platform").rglob("*.jar")}
    assert copied == {"pubsub-emulator", "cloud-firestore-emulator"}


@pytest.mark.parametrize(("step", "targets"), [("lint", ["lint", "site"]), ("zips", ["zips"])])
def test_a_step_runs_its_targets_of_the_makefile(first, step, targets):
    assert first.run("build", step).returncode == 0
    assert first.calls == [f"make {target}" for target in targets]
    makefile = (ROOT / "Makefile").read_text()
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


FOLDER = {"_CATALOG": "catalog/entries", "_AUTHOR": "ada@example.com"}
SYNC = "upbeat catalog sync catalog/entries --by ada@example.com --project some-project"


def test_a_folder_of_entries_is_checked_first_and_synced_last(first, second, gcloud):
    first.command()
    assert first.run("build", "entries", **FOLDER).returncode == 0
    assert first.calls == ["make .venv/.local", "upbeat catalog sync catalog/entries --check"]
    assert first.run("build", "catalog", _ENVIRONMENT="dev", **FOLDER).returncode == 0
    assert first.calls[-1] == SYNC
    first.run("build", "release", **FOLDER)
    told = json.loads(gcloud.state["messages"][0][1])
    second.command()
    handed_over = {"_CATALOG": told["catalog"], "_AUTHOR": told["author"]}
    assert second.run("release", "catalog", **handed_over).returncode == 0
    assert second.calls[-1] == SYNC


def test_without_a_folder_the_shipped_catalog_is_published_where_there_is_none(first):
    first.command()
    assert first.run("build", "entries").stdout == "no folder of entries\n"
    assert first.run("build", "catalog", _ENVIRONMENT="dev").returncode == 0
    assert first.calls[-1].startswith("upbeat catalog publish infra/catalog/default.yaml --if-none ")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"_CATALOG": folder} for folder in ("--help", "a b", 'a", "sha256": "x', "a;b", "$(x)", "/etc")),
        *({"_AUTHOR": author} for author in ("", "ada; rm", 'a", "b": "c', "a b")),
    ],
)
def test_a_folder_or_an_author_that_is_none_stops_the_build_at_once(first, wrong):
    done = first.run("build", "entries", **FOLDER | wrong)
    assert (done.returncode, first.calls) == (1, [])
    assert done.stdout.startswith(f"{next(iter(wrong))}: expected ")
