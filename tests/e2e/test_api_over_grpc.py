"""The API over gRPC on the emulators: its packaged folder, started as in the cloud, and a plain client."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import grpc
import grpc_tools
import pytest
from grpc_tools import protoc

from infra.catalog.load import load_catalog
from infra.deploy.package import zip_function
from infra.emulator.emulators import Emulators
from infra.emulator.readiness import wait_until_serving
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running
from infra.remote.endpoints import LOCALHOST, Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from infra.topology import ROOT, load
from shared.contracts.api.upbeat.v1 import decisions_pb2 as api
from shared.contracts.api.upbeat.v1 import decisions_pb2_grpc
from tests.support.booted import PROVE_IMPORTS, SERVICE, Booted, make_interpreter
from tests.support.watching import eventually

pytestmark = pytest.mark.emulator

GUIDE = ROOT / "docs" / "api.md"
CATALOG = """
offers:
  annual: {cms_ref: c1, plan_to: annual, validity_hours: 24}
placements:
  home: {channel: app, holds: open}
campaigns:
  at_home: {moments: [offer.requested], offer: annual, placement: home, priority: 1}
"""
USER = "u-2002"
SECONDS = 10


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def up(emulators: Emulators, state: Path) -> Iterator[EmulatorRuntime]:
    """What a trial start and the API need."""
    table = load()
    only = {"functions": {"trial_start": table.functions["trial_start"]}, "services": {}, "schedules": {}}
    with EmulatorRuntime(
        "api-grpc",
        topology=table.model_copy(update=only),
        emulators=emulators,
        env={"UPBEAT_USER_HASH_KEY": "secret"},
        publish_catalog=lambda endpoints: store_catalog(endpoints, state),
        state_folder=state,
        with_grpc=True,
    ) as runtime:
        yield runtime


def store_catalog(endpoints: Endpoints, folder: Path) -> None:
    (folder / "catalog.yaml").write_text(CATALOG)
    publish_catalog(emulator_client(endpoints), load_catalog(folder / "catalog.yaml"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client of the guide, with the code that it makes of the definition, and nothing else of ours."""
    folder = tmp_path_factory.mktemp("client")
    known = Path(grpc_tools.__file__).parent / "_proto"
    include = (f"-I{ROOT / 'shared/contracts/api'}", f"-I{known}")
    out = (f"--python_out={folder}", f"--grpc_python_out={folder}")
    assert protoc.main(["protoc", *include, *out, "upbeat/v1/decisions.proto"]) == 0
    (program,) = blocks("python")
    (folder / "client.py").write_text(program)
    return folder


def blocks(language: str) -> list[str]:
    """The code of one language in the guide's part about gRPC."""
    text = GUIDE.read_text().partition("## Over gRPC")[2].partition("\n## ")[0]
    found = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [code for name, code in found if name == language]


def test_a_plain_client_sees_a_trial_at_once_decides_reports_and_asks_why(
    up: EmulatorRuntime, state: Path, client: Path
) -> None:
    now = datetime.now(UTC)
    event = {
        "event_id": "trial-1",
        "user_id": USER,
        "occurred_at": now.isoformat(),
        "plan": "premium_monthly",
        "trial_ends_at": (now + timedelta(days=14)).isoformat(),
    }
    publish = [sys.executable, "-m", "infra", "publish", "trial-start", json.dumps(event)]
    subprocess.run(publish, cwd=ROOT, env=os.environ | {running.FOLDER_VARIABLE: str(state)}, check=True)  # noqa: S603
    ask = [sys.executable, str(client / "client.py"), up.grpc_addresses["decisions_grpc"], USER]
    asked = subprocess.run(ask, cwd=client, capture_output=True, text=True, check=False)  # noqa: S603
    assert (asked.stdout, asked.returncode) == (blocks("")[0], 0), asked.stderr
    lines = up.last_lines("decisions_grpc").splitlines()
    calls = [json.loads(line) for line in lines if '"method"' in line]
    assert [(call["method"], call["outcome"]) for call in calls] == [
        ("GetSubscription", "answered"),
        ("Decide", "answered"),
        ("GiveFeedback", "answered"),
        ("Explain", "answered"),
        ("Decide", "refused"),
    ]
    assert all(call["duration_ms"] >= 0 and len(call["user_hash"]) == 16 for call in calls)
    assert USER not in "\n".join(lines)


def test_what_is_for_readers_reads_and_decides_nothing(up: EmulatorRuntime) -> None:
    with grpc.insecure_channel(up.grpc_addresses["decisions_grpc_read"]) as channel:
        stub = decisions_pb2_grpc.DecisionsServiceStub(channel)
        assert stub.GetEntitlement(api.GetEntitlementRequest(user_id="nobody"), timeout=SECONDS).status == "none"
        request = api.DecideRequest(user_id="nobody", placement="home", idempotency_key="k")
        with pytest.raises(grpc.RpcError) as error:
            stub.Decide(request, timeout=SECONDS)
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_state_tells_other_commands_where_the_services_are(up: EmulatorRuntime, state: Path) -> None:
    assert running.find(state).grpc_services == up.grpc_addresses
    assert sorted(up.grpc_addresses) == ["decisions_grpc", "decisions_grpc_read"]


def test_a_package_alone_answers_and_ends_softly_and_loads_no_framework(
    up: EmulatorRuntime, tmp_path: Path
) -> None:
    with ZipFile(zip_function("decisions_grpc", tmp_path / "service.zip")) as bundle:
        bundle.extractall(tmp_path / "service")
    assert (tmp_path / "service/Procfile").read_text() == f"web: python {SERVICE[0]}\n"
    python = make_interpreter(tmp_path / "interpreter")
    env = {**up.endpoints.env, **PROVE_IMPORTS}
    with Booted("decisions_grpc", tmp_path / "service", python, env, SERVICE) as booted:
        wait_until_serving(booted.process, f"{LOCALHOST}:{booted.port}")
        with grpc.insecure_channel(f"{LOCALHOST}:{booted.port}") as channel:
            stub = decisions_pb2_grpc.DecisionsServiceStub(channel)
            request = api.DecideRequest(user_id="u-3", placement="home", idempotency_key="k")
            assert stub.Decide(request, timeout=SECONDS).offer.offer_id == "annual"
        os.kill(booted.process.pid or 0, signal.SIGTERM)
        assert eventually(booted.process.ended.is_set)
    loaded = booted.loaded_files - {Path("main.py")}
    assert loaded
    assert len(booted.loaded_modules) == len(loaded), "a module of shared came from outside the package"
    imported = set(re.findall(r"^import '(\w+)", booted.errors, re.MULTILINE))
    assert imported & {"starlette", "functions_framework", "flask", "uvicorn", "fastapi", "django"} == set()
    assert "Traceback" not in booted.errors
