"""A replay with its store and raw log, whose users the console's pages show."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from starlette.testclient import TestClient

from infra.catalog.load import DEFAULT_CATALOG
from infra.console import opening
from infra.console.sources import Sources
from infra.replay.stores import STORE
from shared.decisioning.arbitration import trigger_id
from shared.domain.events import cause_of
from shared.domain.terms import Terms
from tests.support import consoles, replays
from tests.support.replays import event, payment, signal, trial

NOW = datetime(2026, 3, 20, tzinfo=UTC)
MARKUP = "<script>alert(1)</script>&\"'"
ODD = "<b>%2F?#&\"'."
"""A user's id that the contract allows and that a page must escape."""
SHOWN = trigger_id("ada", cause_of("payment", "", "failed"), "payment_recovery")


def life_of(user: str) -> list[Any]:
    """A trial, payments of which one fails, what the user did with the offer, and events that are refused."""
    return [
        trial(user, event_id=f"{user}-trial"),
        payment(user, days=13, event_id=f"{user}-paid"),
        payment(user, days=43, outcome="failed", event_id="failed" if user == "ada" else f"{user}-failed"),
        payment(user, days=44, event_id=f"{user}-bad", amount=1.5) | {"publish_time": replays.at(44)},
        payment(user, days=45, event_id=f"{user}-recovered"),
        signal(user, 50, "auto_renew_off", f"{user}-off"),
    ]


OF_EVE = {"plan": MARKUP, "store": MARKUP, "product_id": MARKUP, "payment_id": "<i>"}
LINES: list[Any] = sorted(
    [
        *life_of("ada"),
        event("trigger-feedback", "ada", 43.5, "seen", trigger_id=SHOWN, kind="impression"),
        *life_of(ODD),
        payment("eve", 46, event_id="eve-paid", **OF_EVE),
        payment("eve", 47, event_id="eve-second", subscription_id="W<" * 100),
    ],
    key=lambda line: line["data"]["occurred_at"],
)


class Lived(NamedTuple):
    """A replay."""

    folder: Path

    def sources(self) -> Sources:
        """What a console of it shows."""
        return opening.of_store(self.folder / STORE, NOW, Terms(), DEFAULT_CATALOG)

    def client(self) -> TestClient:
        """A client of that console."""
        return consoles.client(self.sources())


def live(folder: Path, *lines: object) -> Lived:
    """A replay of these lines; of those above if there are none."""
    return Lived(replays.run(folder, *(lines or LINES), keep_store=True, now=NOW).folder)
