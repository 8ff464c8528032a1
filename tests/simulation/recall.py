"""A recall on the emulators, killed half-way and resumed: every open trigger is revoked, and none twice.

`python -m tests.simulation.recall --users 20000` runs it at full size; tests/simulation/test_recall.py runs a
small one. Every user has an open trigger of the campaign that is recalled, one in ten withheld by a holdout, and
one in five an open trigger of a campaign that is not recalled. The real function answers; `upbeat catalog recall`
runs in a process of its own, which is killed by SIGKILL once it has saved half of its pages, and is run again.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.cloud.firestore import Client

from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running
from infra.remote.firestore import emulator_client, publish_catalog
from infra.remote.pubsub import LISTEN_SUFFIX
from infra.sweeps.sweep import Scope
from infra.topology import ROOT, load
from shared.adapters.gcp.connection import FIRESTORE, emulator_connection
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.firestore import FirestoreStore
from shared.adapters.packed_records import document_of
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event, Key, PaymentOutcome, PaymentReported
from shared.domain.terms import Terms
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.codec import Packing
from shared.record.user_record import UserRecord
from tests.support.topologies import with_each_function

RECALLED, KEPT = "sale", "tips"
WRITERS = 50
QUIET_PULLS = 5
"""Empty pulls, of a second each, after which no further message is expected."""


def catalog(state: str) -> Catalog:
    """Two campaigns; the first in a state."""
    offer = {"cms_ref": "offers/any", "validity_hours": 24 * 60}
    about = {"offer": "any", "moments": ["activated"], "priority": 50}
    return compile_catalog(
        {
            "placements": {"banner": {"channel": "in_app"}, "page": {"channel": "in_app"}},
            "offers": {"any": offer},
            "audiences": {"fifth": {"all": [{"fifth": "subscription.quantity == 5"}]}},
            "campaigns": {
                RECALLED: {**about, "placement": "banner", "state": state},
                KEPT: {**about, "placement": "page", "audience": "fifth"},
            },
            "holdouts": {"tenth": {"percent": 10, "campaigns": [RECALLED]}},
        }
    )


@dataclass(frozen=True, slots=True)
class RecallResult:
    """What was seen of a recall."""

    users: int
    withheld: int
    """Users whose open trigger of the recalled campaign was withheld from them."""
    published_before_kill: int
    published: int
    exit_code_killed: int
    revoked: int
    """Triggers that a `revoked` message was published for."""
    revoked_wrongly: int
    """Those of them that were not open triggers of the recalled campaign, or that nobody was given."""
    revoked_twice: int
    """Triggers with `revoked` messages of two ids."""
    delivered_again: int
    """Messages that arrived once more with the same id."""
    still_open: int
    """Users whose document has the recalled campaign open at the end."""
    others_open: int
    """Users whose document has the other campaign open at the end."""
    found_by_another_recall: int
    recall_seconds: float
    until_all_revoked_seconds: float


def measure(users: int, per_second: float) -> RecallResult:
    """Run everything on emulators of its own."""
    with Emulators() as emulators, TemporaryDirectory() as folder:
        return recall_on(emulators, f"recall-{os.getpid()}", Path(folder), users, per_second)


def recall_on(
    emulators: Emulators, project: str, state_folder: Path, users: int, per_second: float
) -> RecallResult:
    """Run a recall in a project of these emulators."""
    topology = with_each_function(load(), min_backoff_seconds=1, max_backoff_seconds=2)
    due = {"lifecycle_due": topology.functions["lifecycle_due"]}
    topology = topology.model_copy(update={"services": {}, "functions": due, "schedules": {}})
    env = {"UPBEAT_CATALOG_SECONDS": "1", "UPBEAT_LOG_LEVEL": "WARNING"}
    with EmulatorRuntime(
        project, topology=topology, emulators=emulators, env=env, state_folder=state_folder
    ) as upbeat:
        client = emulator_client(upbeat.endpoints)
        publish_catalog(client, catalog("live"))
        given, withheld = asyncio.run(_write_users(upbeat.endpoints.firestore_host, project, users))
        publish_catalog(client, catalog("paused"))
        return _Recall(upbeat, client, state_folder, given, withheld).run(users, per_second)


class _Recall:
    def __init__(
        self, upbeat: EmulatorRuntime, client: Client, state_folder: Path, given: set[str], withheld: int
    ) -> None:
        self.upbeat = upbeat
        self.client = client
        self.state_folder = state_folder
        self.given = given
        self.withheld = withheld
        self.messages: dict[str, set[str]] = {}
        """The ids of the `revoked` messages of each trigger."""
        self.again = 0

    def run(self, users: int, per_second: float) -> RecallResult:
        began = time.monotonic()
        before, code = self._killed_after(users // 2, per_second)
        told = self._recall(per_second)
        recalled = time.monotonic()
        self._listen()
        revoked = time.monotonic() - began
        return RecallResult(
            users=users,
            withheld=self.withheld,
            published_before_kill=before,
            published=told["published"],
            exit_code_killed=code,
            revoked=len(self.messages),
            revoked_wrongly=len(self.messages.keys() - self.given),
            revoked_twice=sum(len(ids) > 1 for ids in self.messages.values()),
            delivered_again=self.again,
            still_open=self._holders(RECALLED),
            others_open=self._holders(KEPT),
            found_by_another_recall=self._recall(per_second)["published"],
            recall_seconds=recalled - began,
            until_all_revoked_seconds=revoked,
        )

    def _command(self, per_second: float) -> "subprocess.Popen[str]":
        words = ("catalog", "recall", RECALLED, "--no-wait", "--per-second", str(per_second), "--json")
        env = {**os.environ, running.FOLDER_VARIABLE: str(self.state_folder)}
        return subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-m", "infra", *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
        )

    def _killed_after(self, published: int, per_second: float) -> tuple[int, int]:
        """Start a recall and kill it once so many messages are published; their number, and its exit code."""
        position = self.client.document(f"sweeps/{Scope((RECALLED,)).key}")
        with self._command(per_second) as command:
            while command.poll() is None:
                if ((position.get().to_dict() or {}).get("published") or 0) >= published:
                    command.kill()
                    break
                time.sleep(0.02)
            command.wait()
        return position.get().get("published"), command.returncode

    def _recall(self, per_second: float) -> dict[str, Any]:
        with self._command(per_second) as command:
            told, _ = command.communicate()
        return json.loads(told)

    def _listen(self) -> None:
        """Receive messages until every given trigger is revoked, and then until none comes any more."""
        subscription, empty, seen = "upsell-trigger" + LISTEN_SUFFIX, 0, set[str]()
        deadline = time.monotonic() + 3600
        while (empty < QUIET_PULLS or len(self.messages) < len(self.given)) and time.monotonic() < deadline:
            received = self.upbeat.bus.pull(subscription, 1000, wait=2.0)
            self.upbeat.bus.ack(subscription, received)
            empty = 0 if received else empty + 1
            for body in (each.json for each in received):
                if body["kind"] == TriggerKind.REVOKED:
                    self.again += body["message_id"] in seen
                    seen.add(body["message_id"])
                    self.messages.setdefault(body["trigger_id"], set()).add(body["message_id"])

    def _holders(self, campaign_id: str) -> int:
        opened = (each.get("open_campaigns") for each in self.client.collection("subscriptions").stream())
        return Counter(campaign_id in campaigns for campaigns in opened)[True]


async def _write_users(host: str, project: str, users: int) -> tuple[set[str], int]:
    """Write users who were just activated; the ids of the given triggers to recall, and the number withheld."""
    connection = emulator_connection(FIRESTORE, host)
    store = FirestoreStore(Documents(connection, project, seconds=60))
    rules, now = Rules(catalog("live"), Terms()), datetime.now(UTC)
    given, withheld, numbers = set[str](), 0, iter(range(users))

    async def write() -> None:
        nonlocal withheld
        for number in numbers:
            record = _activated(number, now, rules)
            (trigger,) = [one for one in record.triggers if one.campaign_id == RECALLED]
            if trigger.withheld:
                withheld += 1
            else:
                given.add(trigger.trigger_id)
            await store.commit(document_of(Packing(record)), None)

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    await connection.close()
    return given, withheld


def _activated(number: int, now: datetime, rules: Rules) -> UserRecord:
    """A user who has just paid, and whom nothing has happened to since."""
    user_id = f"__{number}__" if number % 100 == 7 else f"user-{number}"
    at = now - timedelta(hours=1)
    paid = PaymentReported(
        PaymentOutcome.SUCCEEDED, "premium", 999, "EUR", at, at + timedelta(days=30), payment_id=f"p-{number}"
    )
    paid = paid._replace(purchase=paid.purchase._replace(quantity=5 if number % 5 == 0 else 1))
    event = Event(Key(at, "payment", "", f"e-{number}"), user_id, "main", paid, f"digest-{number}")
    return process(UserRecord(user_id), event, at, rules).record._replace(pending=())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--per-second", type=float, default=2_000)
    options = parser.parse_args()
    result = measure(options.users, options.per_second)
    for name, value in asdict(result).items():
        print(f"{name:<28}{value:>12,.1f}" if isinstance(value, float) else f"{name:<28}{value:>12,}")
    is_right = (
        result.revoked == result.users - result.withheld
        and result.revoked_wrongly == result.revoked_twice == result.still_open == 0
        and result.found_by_another_recall == 0
    )
    sys.exit(0 if is_right else "expected every given trigger to be revoked once, found the above")


if __name__ == "__main__":
    main()
