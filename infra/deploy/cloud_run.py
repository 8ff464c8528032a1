"""The Cloud Run services of the functions and their revisions, read and changed through gcloud."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.errors import InfraError

FORMAT_VARIABLE = "UPBEAT_RECORD_FORMAT"
"""Environment variable that every revision has. Labels of a function never reach its revisions:
https://github.com/firebase/firebase-tools/issues/7850.
"""
LOCATION, SERVICE = "cloud.googleapis.com/location", "serving.knative.dev/service"
"""Labels of Cloud Run: https://cloud.google.com/run/docs/reference/rest/v1/ObjectMeta."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service and the revision that gets most of its traffic; None if no revision gets any."""

    name: str
    region: str
    serving: str | None


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision that can serve."""

    name: str
    service: str
    created_at: datetime
    record_format: str | None
    """The format of the stored document that it reads and writes; None if it does not say."""


class CloudRun:
    """Cloud Run in one project. Every method raises `InfraError` if gcloud is missing or fails."""

    def __init__(self, project: str) -> None:
        self._project = project

    def services(self) -> list[Service]:
        """All services of the project."""
        return [_service(each) for each in self._list("services", "list")]

    def revisions(self, region: str) -> list[Revision]:
        """All revisions in a region that can serve, newest first."""
        listed = self._list("revisions", "list", f"--region={region}")
        return sorted(map(_revision, filter(_is_ready, listed)), key=lambda each: each.created_at, reverse=True)

    def send_traffic(self, service: Service, revision: str) -> None:
        """Send all traffic of a service to one revision. Returns once it goes there."""
        self._run(
            "services",
            "update-traffic",
            service.name,
            f"--to-revisions={revision}=100",
            f"--region={service.region}",
        )

    def _list(self, *words: str) -> list[dict[str, Any]]:
        return list(json.loads(self._run(*words, "--format=json")))

    def _run(self, *words: str) -> str:
        gcloud = shutil.which("gcloud")
        if gcloud is None:
            raise InfraError("expected gcloud on the PATH, found none: https://cloud.google.com/sdk/docs/install")
        command = [gcloud, "run", *words, f"--project={self._project}", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found on the PATH
        if done.returncode:
            raise InfraError(f"gcloud run {' '.join(words)} failed: {done.stderr.strip()}")
        return done.stdout


def _service(found: dict[str, Any]) -> Service:
    metadata, traffic = found["metadata"], found["status"].get("traffic", [{}])
    serving: dict[str, Any] = max(traffic, key=lambda share: share.get("percent", 0))
    return Service(metadata["name"], metadata["labels"][LOCATION], serving.get("revisionName"))


def _revision(found: dict[str, Any]) -> Revision:
    metadata = found["metadata"]
    created_at = datetime.fromisoformat(metadata["creationTimestamp"])
    return Revision(
        metadata["name"], metadata["labels"][SERVICE], created_at, _variables(found).get(FORMAT_VARIABLE)
    )


def _variables(found: dict[str, Any]) -> dict[str, str]:
    containers = found["spec"]["containers"]
    return {each["name"]: each.get("value", "") for container in containers for each in container.get("env", [])}


def _is_ready(found: dict[str, Any]) -> bool:
    conditions = found["status"].get("conditions", [])
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
