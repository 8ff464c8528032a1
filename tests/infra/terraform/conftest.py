"""Plans and the applied state of infra/terraform, from the folder that UPBEAT_PLANS names."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.terraform.offline import Applied, applied_stub
from tests.infra.terraform.resources import Document, Resource, read, resources

MISSING = "UPBEAT_PLANS is not set: expected the folder of the plans of infra/terraform (.ci/run makes it)"

UNCHECKED = (
    "UPBEAT_TERRAFORM_CHECK is not set: expected a command that checks infra/terraform offline (.ci/run sets it)"
)


@pytest.fixture(scope="session")
def plans() -> Path:
    """The folder of plan-dev.json, plan-prod.json and state-dev.json."""
    folder = os.environ.get("UPBEAT_PLANS")
    if not folder:
        pytest.skip(MISSING)
    return Path(folder)


@pytest.fixture(scope="session")
def applied(plans: Path) -> list[Resource]:
    """The resources of the development environment once its plan is applied."""
    return resources(read(plans / "state-dev.json"))


@pytest.fixture(scope="session", params=["dev", "prod"])
def plan(plans: Path, request: pytest.FixtureRequest) -> Document:
    """The first plan of an environment."""
    return read(plans / f"plan-{request.param}.json")


@pytest.fixture(scope="session")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The development environment, applied to a stub of the provider, on which changes can be planned."""
    command = os.environ.get("UPBEAT_TERRAFORM_CHECK")
    if not command:
        pytest.skip(UNCHECKED)
    with applied_stub(command, tmp_path_factory.mktemp("check")) as held:
        yield held
