"""The embedded runtime delivers again what is not acknowledged, and keeps it in the dead letter in the end."""

from datetime import UTC, datetime

import orjson

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.embedded.push import Push
from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
from infra.topology import load
from shared.domain.errors import Transient
from tests.support.replays import START, payment
from tests.support.topologies import with_each_function

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def test_a_message_that_no_attempt_acknowledges_goes_to_the_dead_letter():
    sunk, asked, waited = [], [], []

    class Failing:
        async def load(self, user_id):
            asked.append(user_id)
            raise Transient("the store does not answer")

    async def sleep(seconds):
        waited.append(seconds)

    embedded = EmbeddedRuntime(
        Failing(),
        load_catalog(DEFAULT_CATALOG),
        VirtualClock(NOW),
        sunk.append,
        topology=with_each_function(load(), max_delivery_attempts=5),
        sleep=sleep,
    )
    data = orjson.dumps(payment()["data"])

    assert await embedded.push(Push("payment", data, {}, START, "1")) == "dead_lettered"
    assert asked == ["u"] * 5
    assert waited == sorted(waited)
    assert [letter.body["reason"] for letter in sunk] == ["undelivered"]
