"""A gcloud on the path that keeps its resources in a file."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_gcloud.py")


class FakeGcloud:
    """The fake's folder: what exists in its project, and which commands changed it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        (self.bin / "gcloud").write_text(FAKE.read_text().replace("/usr/bin/env -S python3", sys.executable))
        (self.bin / "gcloud").chmod(0o755)

    @property
    def env(self) -> dict[str, str]:
        """An environment in which `gcloud` is the fake, and in which there is no terraform."""
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "FAKE_GCLOUD": str(self.folder), "UPBEAT_RETRY_SECONDS": "0"}

    @property
    def state(self) -> dict:
        return json.loads((self.folder / "state.json").read_text())

    @property
    def changes(self) -> list[str]:
        """The commands that changed something, since the last `forget`."""
        path = self.folder / "changes.txt"
        return path.read_text().splitlines() if path.exists() else []

    def put(self, **resources: object) -> None:
        """Replace resources of the project."""
        whole = {"account": "owner@example.com", "project": {"lifecycleState": "ACTIVE", "billingEnabled": "True"}}
        rest = {"apis": [], "buckets": {}, "accounts": [], "bindings": {}, "agents": [], "secrets": {}}
        state = whole | rest | {"services": [], "revisions": []} | resources
        (self.folder / "state.json").write_text(json.dumps(state))

    def forget(self) -> None:
        (self.folder / "changes.txt").unlink(missing_ok=True)

    def on_path(self) -> Mapping[str, str]:
        """The variables of this process with which its own children find the fake."""
        return self.env | {"PATH": f"{self.bin}:{os.environ['PATH']}"}


@pytest.fixture
def gcloud(tmp_path: Path) -> FakeGcloud:
    return FakeGcloud(tmp_path / "gcloud")
