"""The examples of the OpenAPI document: one story, whose requests have exactly the answers that stand there."""

import json
from datetime import datetime
from typing import Any

from infra.generate.asyncapi import API_EXAMPLES, DOCS
from shared import wiring
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.api.methods import METHODS
from shared.contracts.inbound.envelope import parse_event
from shared.decisioning.compile import compile_catalog
from shared.entrypoints.api.calls import Call, CallHandler
from tests.support.fakes import FlakyBus, MemoryStore, MovableClock
from tests.support.histories import TERMS
from tests.support.samples import delivery

EXAMPLES = json.loads(API_EXAMPLES.read_text())
CATALOG = compile_catalog(
    {
        "placements": {"in_app_banner": {"channel": "in_app"}},
        "offers": {
            "annual_plan": {
                "cms_ref": "offers/annual-plan",
                "plan_to": "premium_annual",
                "price_ref": "twelve_months_for_ten",
                "validity_hours": 168,
            }
        },
        "campaigns": {
            "on_the_home_screen": {
                "moments": ["offer.requested"],
                "offer": "annual_plan",
                "placement": "in_app_banner",
                "priority": 5,
            }
        },
    }
)
ASKED_AT = datetime.fromisoformat("2026-03-01T09:31:00+00:00")


async def told() -> dict[str, Any]:
    """The API's answers to the requests of the examples, a minute after the trial of the contract's example."""
    clock = MovableClock(ASKED_AT)
    bus, records = FlakyBus(), PackedRecords(MemoryStore(), TERMS)
    application = Application(records, bus, FixedCatalogs(CATALOG), clock, TERMS)
    event = json.loads((DOCS / "examples/trial-start/started.json").read_text())
    await application.handle(parse_event("trial-start", delivery(event)))
    handler = CallHandler(wiring.Wiring(application, None, bus, clock, TERMS))
    return {name: await handler.handle(Call(name, example["request"])) for name, example in EXAMPLES.items()}


async def test_each_request_has_the_answer_that_stands_there() -> None:
    assert await told() == {name: example["answer"] for name, example in EXAMPLES.items()}


def test_every_method_has_an_example() -> None:
    assert [*EXAMPLES] == [*METHODS]
