"""The trigger of production's second build: it waits for approval, and runs the file's steps as the deployer."""

from pathlib import Path

from tests.infra.terraform.resources import of_type, read, resources
from tests.support.builds import build, steps

PASSED_ON = ("id", "name", "timeout", "env", "script")


def test_in_prod_a_release_waits_for_approval_and_is_applied_by_the_steps_of_its_file(plans: Path) -> None:
    found = resources(read(plans / "plan-prod.json"))
    (trigger,) = (each.values for each in of_type(found, "google_cloudbuild_trigger"))
    (topic,) = of_type(found, "google_pubsub_topic", "releases")
    (made,) = trigger["build"]
    assert trigger["approval_config"] == [{"approval_required": True}]
    assert trigger["service_account"].endswith(
        "/serviceAccounts/upbeat-deployer@upbeat-prod.iam.gserviceaccount.com"
    )
    assert topic.values["name"] in steps("build")["release"]["script"]
    assert set(trigger["substitutions"]) == set(build("release")["substitutions"])
    assert made["options"][0]["logging"] == build("release")["options"]["logging"]
    assert [{name: step[name] for name in PASSED_ON} for step in made["step"]] == build("release")["steps"]


def test_in_dev_nothing_waits_for_approval(plans: Path) -> None:
    found = resources(read(plans / "plan-dev.json"))
    assert of_type(found, "google_cloudbuild_trigger") == []
    assert of_type(found, "google_pubsub_topic", "releases") == []
