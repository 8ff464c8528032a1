"""Landing, with a bus in memory; `tests/e2e/test_landing.py` has the emulators."""

import threading
from datetime import UTC, datetime

from google.api_core.datetime_helpers import DatetimeWithNanoseconds

from infra.emulator.landing import Landing
from infra.errors import InfraError
from infra.raw.folder import file_of
from infra.raw.line import from_line
from infra.remote.pubsub import Received
from tests.support.watching import eventually

AT = datetime(2026, 3, 1, tzinfo=UTC)
PUBLISHED = DatetimeWithNanoseconds(2026, 3, 1, nanosecond=999, tzinfo=UTC)
"""The same, in the type of Google's client."""


class Bus:
    """Subscriptions in memory: what is not acknowledged comes again."""

    def __init__(self):
        self.waiting = {}
        self.failures = 0
        self.lock = threading.Lock()

    def subscription_path(self, name):
        return f"projects/p/subscriptions/{name}"

    def publish(self, topic, id_):
        message = Received(id_, b"\xff" + id_.encode(), {"a": "b"}, PUBLISHED, id_)
        with self.lock:
            self.waiting.setdefault(f"{topic}-landing", []).append(message)

    def pull(self, subscription, count, *_wait):
        threading.Event().wait(0.01)
        with self.lock:
            if self.failures:
                self.failures -= 1
                raise InfraError("cannot pull")
            return self.waiting.get(subscription, [])[:count]

    def ack(self, subscription, received):
        with self.lock:
            waiting = self.waiting[subscription]
            self.waiting[subscription] = [one for one in waiting if one not in received]


def landed(folder, topic):
    return [from_line(line) for line in file_of(folder, topic).read_bytes().splitlines(keepends=True)]


def ids(folder, topic):
    return [one.message_id for one in landed(folder, topic)]


def landing(bus, folder, said=None):
    lines = [] if said is None else said
    return Landing(bus, ["payment", "decision"], folder, lambda name, line: lines.append((name, line)))


def test_a_message_lands_once_while_it_runs_with_its_bytes(tmp_path):
    bus = Bus()
    with landing(bus, tmp_path):
        bus.publish("payment", "1")
        assert eventually(lambda: ids(tmp_path, "payment") == ["1"])
        bus.publish("decision", "2")
        assert eventually(lambda: ids(tmp_path, "decision") == ["2"])
    (one,) = landed(tmp_path, "payment")
    assert (one.data, one.attributes, one.publish_time) == (b"\xff1", {"a": "b"}, AT)
    assert one.subscription_name == "projects/p/subscriptions/payment-landing"


def test_what_was_published_before_the_end_has_landed_after_it(tmp_path):
    bus = Bus()
    with landing(bus, tmp_path):
        for number in range(2500):
            bus.publish("payment", str(number))
    assert ids(tmp_path, "payment") == [str(number) for number in range(2500)]


def test_a_failure_is_told_and_tried_again(tmp_path):
    bus, said = Bus(), []
    bus.failures = 2
    with landing(bus, tmp_path, said):
        bus.publish("payment", "1")
        assert eventually(lambda: ids(tmp_path, "payment") == ["1"])
    assert {name for name, _ in said} == {"landing"}
    assert any("cannot pull" in line for _, line in said)


def test_the_end_comes_even_if_the_bus_is_gone(tmp_path):
    bus, said = Bus(), []
    with landing(bus, tmp_path, said):
        bus.failures = 10_000
    assert ("landing", "payment: the last messages are lost: cannot pull") in said
