"""The bootstrap script, run by bash with a gcloud that keeps its resources in a file."""

import base64
import re
import subprocess
from pathlib import Path

import pytest

from infra.topology import ROOT

BOOTSTRAP = ROOT / "infra" / "deploy" / "bootstrap.sh"
TERRAFORM = ROOT / "infra" / "terraform"
PROJECT = "some-project"
DEPLOYER = f"upbeat-deployer@{PROJECT}.iam.gserviceaccount.com"
BUCKET = f"gs://{PROJECT}-upbeat-state"
SCRIPT = BOOTSTRAP.read_text()


@pytest.fixture
def bootstrap(gcloud):
    """Run the script. Returns its exit status and what it printed."""

    def run(*words: str, script: Path = BOOTSTRAP) -> subprocess.CompletedProcess[str]:
        command = ["/bin/bash", str(script), *words]
        return subprocess.run(command, env=gcloud.env, capture_output=True, text=True, check=False)  # noqa: S603

    return run


def table(name: str) -> dict[str, str]:
    """The rows of a table in the script: a role by its resource type."""
    rows = re.search(rf'^readonly {name}="\n(.*?)^"', SCRIPT, re.MULTILINE | re.DOTALL)[1]
    return dict(row.split() for row in rows.splitlines())


def in_terraform(kind: str, pattern: str) -> set[str]:
    """Everything that a pattern finds in Terraform's files."""
    found = {
        match for file in TERRAFORM.glob("*.tf") for match in re.findall(pattern, file.read_text(), re.MULTILINE)
    }
    assert found, f"no {kind} in {TERRAFORM}"
    return found


def test_an_empty_project_gets_all_that_the_first_build_needs(bootstrap, gcloud):
    done = bootstrap(PROJECT, "--region", "us-east1")
    assert done.returncode == 0, done.stderr
    assert "gcloud builds submit --project some-project" in done.stdout
    state = gcloud.state
    assert "run.googleapis.com" in state["apis"]
    bucket = state["buckets"][BUCKET]
    assert (bucket["location"], bucket["versioning_enabled"]) == ("us-east1", True)
    assert state["accounts"] == [DEPLOYER]
    assert dict(state["bindings"][PROJECT]) == dict.fromkeys(table("ROLES").values(), f"serviceAccount:{DEPLOYER}")
    assert state["bindings"][DEPLOYER] == [["roles/iam.serviceAccountUser", f"serviceAccount:{DEPLOYER}"]]
    assert state["agents"] == ["pubsub.googleapis.com"]
    assert "012345" not in state["bindings"]


def test_apis_are_enabled_before_anything_is_made(bootstrap, gcloud):
    bootstrap(PROJECT)
    assert gcloud.changes[0].startswith("services enable ")
    assert not any(change.startswith("services enable ") for change in gcloud.changes[1:])


@pytest.mark.slow
def test_a_second_run_changes_nothing(bootstrap, gcloud):
    bootstrap(PROJECT)
    before = gcloud.state
    gcloud.forget()
    assert bootstrap(PROJECT).returncode == 0
    assert gcloud.state == before
    assert gcloud.changes == ["beta services identity create --service=pubsub.googleapis.com --format=none"]


@pytest.mark.slow
@pytest.mark.parametrize("change", [1, 4, 6, 26])
def test_a_run_that_was_killed_is_completed_by_the_next_one(bootstrap, gcloud, change):
    (gcloud.folder / "kill_at").write_text(str(change))
    assert bootstrap(PROJECT).returncode == -9
    assert len(gcloud.changes) == change
    (gcloud.folder / "kill_at").unlink()
    assert bootstrap(PROJECT).returncode == 0
    state = gcloud.state
    assert len(state["bindings"][PROJECT]) == len(set(table("ROLES").values()))
    assert len(state["secrets"]["upbeat-user-hash-key"]) == 1
    gcloud.forget()
    bootstrap(PROJECT)
    assert gcloud.state == state


@pytest.mark.slow
def test_print_names_every_command_and_runs_none(bootstrap, gcloud):
    printed = bootstrap(PROJECT, "--print")
    assert printed.returncode == 0, printed.stderr
    assert gcloud.changes == []
    shown = [
        line.removeprefix("would run: gcloud ") for line in printed.stdout.splitlines() if "would run" in line
    ]
    bootstrap(PROJECT)
    made = [line for line in gcloud.changes if not line.startswith("secrets versions add")]
    assert shown == [*made, "would run: add_random_version upbeat-user-hash-key"]


@pytest.mark.slow
def test_print_on_a_project_that_is_ready_names_what_is_repeated(bootstrap):
    bootstrap(PROJECT)
    shown = [line for line in bootstrap(PROJECT, "--print").stdout.splitlines() if "would run" in line]
    assert len(shown) == 1
    assert "services identity create" in shown[0]


@pytest.mark.slow
def test_the_key_is_random_and_is_never_printed(bootstrap, gcloud):
    done = bootstrap(PROJECT)
    (key,) = gcloud.state["secrets"]["upbeat-user-hash-key"]
    assert len(base64.b64decode(key, validate=True)) == 32
    assert key not in done.stdout + done.stderr + "".join(gcloud.changes)
    gcloud.put()
    bootstrap(PROJECT)
    assert gcloud.state["secrets"]["upbeat-user-hash-key"] != [key]


def test_a_new_account_that_iam_does_not_know_yet_is_tried_again(bootstrap, gcloud):
    (gcloud.folder / "refuse").write_text("3")
    assert bootstrap(PROJECT).returncode == 0
    assert len(gcloud.state["bindings"][PROJECT]) == len(set(table("ROLES").values()))


def test_a_binding_that_is_always_refused_ends_the_script(bootstrap, gcloud):
    (gcloud.folder / "refuse").write_text("100")
    done = bootstrap(PROJECT)
    assert done.returncode == 1
    assert "bootstrap: failed six times: gcloud projects add-iam-policy-binding" in done.stderr


def test_a_billing_account_lets_the_deployer_make_budgets(bootstrap, gcloud):
    assert bootstrap(PROJECT, "--billing-account", "012345-6789AB-CDEF01").returncode == 0
    bindings = gcloud.state["bindings"]["012345-6789AB-CDEF01"]
    assert bindings == [[role, f"serviceAccount:{DEPLOYER}"] for role in table("BILLING_ROLES").values()]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"account": ""}, "expected an active account, found none: gcloud auth login"),
        (
            {"project": {"lifecycleState": "DELETE_REQUESTED", "billingEnabled": "True"}},
            "expected some-project to be active, found DELETE_REQUESTED",
        ),
        (
            {"project": {"lifecycleState": "ACTIVE", "billingEnabled": "False"}},
            "expected billing, found none: gcloud billing projects link some-project --billing-account=ID",
        ),
    ],
)
def test_a_project_that_cannot_be_used_is_refused_before_anything_changes(bootstrap, gcloud, resources, expected):
    gcloud.put(**resources)
    done = bootstrap(PROJECT)
    assert (done.returncode, done.stderr) == (1, f"bootstrap: {expected}\n")
    assert gcloud.changes == []


def test_a_machine_without_gcloud_is_told_where_to_get_it(gcloud):
    (gcloud.bin / "gcloud").unlink()
    for tool in ("dirname", "bash"):
        (gcloud.bin / tool).symlink_to(f"/usr/bin/{tool}")
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", str(BOOTSTRAP), PROJECT],
        env=gcloud.env | {"PATH": str(gcloud.bin)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "bootstrap: expected gcloud on the PATH, found none: https://cloud.google.com/sdk/docs/install\n"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "expected the id of a project, found nothing"),
        (["a-project", "b-project"], "expected one project, found a-project and b-project"),
        (["--dry"], "unknown option --dry"),
        (["a-project", "--region"], "--region: expected a region, found nothing"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(bootstrap, gcloud, words, expected):
    done = bootstrap(*words)
    assert done.returncode != 0
    assert expected in done.stderr
    assert gcloud.changes == []


def test_help_explains_the_arguments(bootstrap):
    done = bootstrap("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: infra/deploy/bootstrap.sh PROJECT")


@pytest.fixture
def copied(tmp_path):
    """The script in a repository of its own, whose Terraform folder the test fills."""
    deploy, terraform = tmp_path / "infra" / "deploy", tmp_path / "infra" / "terraform"
    for folder in (deploy, terraform):
        folder.mkdir(parents=True)
    for name in ("bootstrap.sh", "state_lifecycle.json"):
        (deploy / name).write_text((BOOTSTRAP.parent / name).read_text())
    return deploy / "bootstrap.sh"


@pytest.mark.slow
def test_a_missing_lock_file_is_made_where_there_is_terraform_and_asked_for_where_there_is_none(
    bootstrap, gcloud, copied
):
    assert "Providers are not pinned yet. Install Terraform" in bootstrap(PROJECT, script=copied).stdout
    terraform = gcloud.bin / "terraform"
    terraform.write_text('#!/bin/bash\necho "$@" > "${1#-chdir=}/.terraform.lock.hcl"\n')
    terraform.chmod(0o755)
    assert "it pins the providers of every later build" in bootstrap(PROJECT, script=copied).stdout
    lock = copied.parent.parent / "terraform" / ".terraform.lock.hcl"
    assert "providers lock -platform=linux_amd64 -platform=darwin_arm64" in lock.read_text()
    first, *_ = bootstrap(PROJECT, script=copied).stdout.splitlines()
    assert first == "some-project is ready. Next: gcloud builds submit --project some-project"


def test_the_deployer_has_a_role_for_each_type_of_resource_and_none_for_another():
    types = in_terraform("resource", r'^(?:resource|data) "(google_\w+)"')
    listed = {*table("ROLES"), *table("BILLING_ROLES")} - {"build_logs"}
    assert types - listed == set(), "types without a role: add a line to the table of bootstrap.sh"
    assert listed - types == set(), "roles of types that Terraform does not make: remove the line"


def test_the_apis_that_terraform_enables_are_enabled_before_it_runs():
    enabled = set(re.search(r'^readonly APIS="\n(.*?)^"', SCRIPT, re.MULTILINE | re.DOTALL)[1].split())
    # Terraform itself enables those of Dataflow where it is asked for: nobody else needs machines.
    of_dataflow = {"compute.googleapis.com", "dataflow.googleapis.com"}
    assert in_terraform("API", r'"(\w+\.googleapis\.com)"') - of_dataflow <= enabled


def test_terraform_and_the_script_name_the_same_account_bucket_and_secret():
    text = "".join(file.read_text() for file in TERRAFORM.glob("*.tf"))
    for name in ("upbeat-deployer@", "upbeat-state", "upbeat-user-hash-key"):
        assert name in text
        assert name in SCRIPT
