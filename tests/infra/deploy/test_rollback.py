"""The rollback, with a gcloud that lists services and revisions in the form in which Cloud Run does."""

import json

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.topology import load

SERVICES = [function.service for function in load().deployed.values()]
MONDAY, TUESDAY = "2026-03-02T10:00:00.000001Z", "2026-03-03T10:00:00.000001Z"


def service(name: str, serving: str | None, region: str = "europe-west1") -> dict:
    traffic = [{"revisionName": serving, "percent": 100, "latestRevision": True}] if serving else []
    return {
        "metadata": {"name": name, "labels": {"cloud.googleapis.com/location": region}},
        "status": {"traffic": traffic} if traffic else {},
    }


def revision(
    service: str,
    number: int,
    created: str,
    *,
    record_format: str | None = "1",
    ready: str = "True",
    region: str = "europe-west1",
) -> dict:
    env = [{"name": "GOOGLE_CLOUD_PROJECT", "value": "some-project"}, {"name": "UPBEAT_USER_HASH_KEY"}]
    if record_format:
        env.append({"name": "UPBEAT_RECORD_FORMAT", "value": record_format})
    return {
        "metadata": {
            "name": f"{service}-{number:05}-abc",
            "creationTimestamp": created,
            "labels": {"cloud.googleapis.com/location": region, "serving.knative.dev/service": service},
        },
        "spec": {"containers": [{"image": "image", "env": env}]},
        "status": {"conditions": [{"type": "Active", "status": "False"}, {"type": "Ready", "status": ready}]},
    }


@pytest.fixture
def deployed(gcloud, monkeypatch):
    """Every function with two revisions; the second one serves, and payment's alone is of Tuesday."""
    for name, value in gcloud.on_path().items():
        monkeypatch.setenv(name, value)
    created = {name: [MONDAY, TUESDAY if name == "payment" else "2026-03-02T10:20:00Z"] for name in SERVICES}
    revisions = [
        revision(name, number, at) for name, ats in created.items() for number, at in enumerate(ats, start=1)
    ]
    gcloud.put(services=[service(name, f"{name}-00002-abc") for name in SERVICES], revisions=revisions)
    return gcloud


def rollback(*words: str):
    return CliRunner().invoke(app, ["rollback", "--project", "some-project", *words])


def moves(*words: str) -> dict[str, tuple[str, str]]:
    done = rollback("--json", *words)
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return {each["service"]: (each["from"], each["to"]) for each in told}


def serving(gcloud) -> dict[str, list]:
    return {each["metadata"]["name"]: each["status"]["traffic"] for each in gcloud.state["services"]}


def test_previous_moves_what_the_newest_deploy_changed_and_nothing_else(deployed):
    assert moves("--go") == {"payment": ("payment-00002-abc", "payment-00001-abc")}
    assert serving(deployed)["payment"] == [{"revisionName": "payment-00001-abc", "percent": 100}]
    assert serving(deployed)["trial-start"][0]["revisionName"] == "trial-start-00002-abc"


def test_a_deploy_of_all_functions_is_moved_back_as_a_whole(deployed):
    later = [revision(name, 3, f"2026-03-04T10:0{place}:00Z") for place, name in enumerate(SERVICES)]
    deployed.put(
        services=[service(name, f"{name}-00003-abc") for name in SERVICES],
        revisions=deployed.state["revisions"] + later,
    )
    assert set(moves("--go")) == set(SERVICES)
    assert {traffic[0]["revisionName"] for traffic in serving(deployed).values()} == {
        f"{name}-00002-abc" for name in SERVICES
    }


def test_the_webhook_of_a_cms_moves_with_the_others_where_it_is_deployed(deployed):
    more = [revision("catalog-sync", number, at) for number, at in enumerate((MONDAY, TUESDAY), start=1)]
    deployed.put(
        services=[*deployed.state["services"], service("catalog-sync", "catalog-sync-00002-abc")],
        revisions=deployed.state["revisions"] + more,
    )
    expected = {"catalog-sync": ("catalog-sync-00002-abc", "catalog-sync-00001-abc")}
    assert moves() == {"payment": ("payment-00002-abc", "payment-00001-abc")} | expected
    assert moves("--function", "catalog_sync") == expected


def test_without_go_the_moves_are_only_listed(deployed):
    done = rollback()
    assert done.stdout == (
        "would move payment from payment-00002-abc to payment-00001-abc of 2026-03-02 10:00 UTC\n"
    )
    assert deployed.changes == []


def test_a_second_rollback_goes_one_revision_further(deployed):
    deployed.put(
        services=[service(name, f"{name}-00002-abc") for name in SERVICES],
        revisions=[*deployed.state["revisions"], revision("payment", 0, "2026-03-01T10:00:00Z")],
    )
    moves("--go")
    assert moves("--function", "payment") == {"payment": ("payment-00001-abc", "payment-00000-abc")}


@pytest.mark.usefixtures("deployed")
def test_a_named_function_goes_back_whenever_it_was_deployed():
    assert moves("--function", "trial_start") == {
        "trial-start": ("trial-start-00002-abc", "trial-start-00001-abc")
    }


def test_a_named_revision_moves_the_function_that_it_belongs_to(deployed):
    assert moves("--to", "churn-signal-00001-abc", "--go") == {
        "churn-signal": ("churn-signal-00002-abc", "churn-signal-00001-abc")
    }
    assert [change.split()[3] for change in deployed.changes] == ["churn-signal"]


def test_a_revision_that_never_became_ready_is_passed_over(deployed):
    failed = [
        revision("payment", 9, "2026-03-02T20:00:00Z", ready="False"),
        revision("payment", 8, "2026-03-02T19:00:00Z", ready="Unknown"),
    ]
    deployed.put(services=deployed.state["services"], revisions=deployed.state["revisions"] + failed)
    assert moves() == {"payment": ("payment-00002-abc", "payment-00001-abc")}


def test_services_in_several_regions_are_moved_where_they_are(deployed):
    revisions = [
        each for each in deployed.state["revisions"] if not each["metadata"]["name"].startswith("payment")
    ]
    elsewhere = [
        revision("payment", number, at, region="us-east1") for number, at in enumerate([MONDAY, TUESDAY], start=1)
    ]
    services = [service(name, f"{name}-00002-abc") for name in SERVICES if name != "payment"]
    deployed.put(
        services=[*services, service("payment", "payment-00002-abc", "us-east1")], revisions=revisions + elsewhere
    )
    assert moves("--go")["payment"] == ("payment-00002-abc", "payment-00001-abc")
    assert "--region=us-east1" in deployed.changes[0]


@pytest.mark.parametrize(("before", "now"), [("1", "2"), ("2", "1"), (None, "1"), ("1", None), (None, None)])
def test_a_revision_of_another_format_or_of_none_is_refused(deployed, before, now):
    others = [each for each in deployed.state["revisions"] if not each["metadata"]["name"].startswith("payment")]
    own = [
        revision("payment", 1, MONDAY, record_format=before),
        revision("payment", 2, TUESDAY, record_format=now),
    ]
    deployed.put(services=deployed.state["services"], revisions=others + own)
    done = rollback("--go")
    assert done.exit_code == 1
    assert done.stderr.startswith(
        "error: payment-00001-abc: expected the UPBEAT_RECORD_FORMAT of payment-00002-abc,"
        f" {now or 'none'}, found {before or 'none'}; "
    )
    assert deployed.changes == []


@pytest.mark.parametrize("to", ["payment-00002-abc", "payment-00099-abc", "Previous", ""])
def test_a_revision_to_which_nothing_can_go_is_a_usage_error(deployed, to):
    done = rollback("--to", to, "--go")
    assert done.exit_code == 2
    assert f"--to: expected another revision of a function, found {to!r}; " in done.stderr
    assert deployed.changes == []


@pytest.mark.usefixtures("deployed")
def test_an_unknown_function_is_a_usage_error():
    done = rollback("--function", "paymnet")
    assert done.exit_code == 2
    assert "unknown function 'paymnet'; known are: trial_start, payment," in done.stderr


def test_a_function_that_is_not_deployed_is_named(deployed):
    services = [each for each in deployed.state["services"] if each["metadata"]["name"] != "payment"]
    deployed.put(services=services, revisions=deployed.state["revisions"])
    done = rollback()
    assert done.exit_code == 1
    assert "expected a Cloud Run service for each function, found none for payment" in done.stderr


def test_a_service_without_traffic_is_named(deployed):
    services = [each for each in deployed.state["services"] if each["metadata"]["name"] != "payment"]
    deployed.put(services=[*services, service("payment", None)], revisions=deployed.state["revisions"])
    done = rollback()
    assert done.exit_code == 1
    assert "payment: expected a ready revision that serves, found None" in done.stderr


def test_an_error_of_gcloud_is_shown(deployed):
    (deployed.folder / "bin" / "gcloud").write_text(
        "#!/bin/sh\necho 'ERROR: (gcloud) no permission' >&2\nexit 1\n"
    )
    done = rollback()
    assert (done.exit_code, done.stderr) == (
        1,
        "error: gcloud run services list --format=json failed: ERROR: (gcloud) no permission\n",
    )


def test_a_machine_without_gcloud_is_told_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = rollback()
    assert done.exit_code == 1
    assert "expected gcloud on the PATH, found none: https://cloud.google.com/sdk/docs/install" in done.stderr
