"""The targets of fuzzing: each takes any bytes, and raises an error only if a property does not hold."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.catalog.load import artifacts_of, load_catalog
from shared.contracts.inbound.envelope import EVENTS, Delivery, check_not_future, decode, parse_clock, parse_event
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.topics import Topic
from shared.domain.errors import InvalidCatalog, Rejected
from shared.domain.terms import Terms
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SKEW = timedelta(minutes=5)
RULES = Rules(load_catalog(), Terms())
ATTRIBUTES: tuple[dict[str, str], ...] = (
    {},
    {"content-type": "application/cloudevents+json"},
    {"ce-id": "e-1", "ce-source": "billing", "ce-time": "2026-03-15T09:30:00Z"},
)
DIRECT = [(topic, attributes) for topic in (*EVENTS, Topic.LIFECYCLE_CLOCK.value) for attributes in ATTRIBUTES]
"""The topic and the attributes of data without a push body; the first byte of an input chooses among them."""
PUSH = len(DIRECT)
"""The first byte of an input whose rest is a push body, which is tried on every topic."""


def envelope(data: bytes) -> None:
    """A push body, or the data of a message: an event that can be processed and stored, or a dead letter."""
    choice, rest = (data[0] % (PUSH + 1), data[1:]) if data else (PUSH, data)
    if choice < PUSH:
        topic, attributes = DIRECT[choice]
        _deliver(topic, Delivery(rest, attributes))
        return
    try:
        delivery = decode(rest)
    except Rejected as rejected:
        dead_letter(Topic.PAYMENT, Delivery(rest, {}), rejected)
        return
    for topic in (*EVENTS, Topic.LIFECYCLE_CLOCK):
        _deliver(topic, delivery)


def _deliver(topic: str, delivery: Delivery) -> None:
    try:
        if topic == Topic.LIFECYCLE_CLOCK:
            parse_clock(delivery)
            return
        event = parse_event(topic, delivery)
        check_not_future(event, NOW, SKEW)
        done = process(UserRecord(event.user_id), event, NOW, RULES)
    except Rejected as rejected:
        dead_letter(topic, delivery, rejected)
        return
    if unpack(pack(done.record)) != done.record:
        raise AssertionError("expected the record to come back as it was, found another")


def catalog(data: bytes) -> None:
    """The bytes of a catalog's file: a catalog, or problems that each say what was expected and found."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "catalog.yaml"
        file.write_bytes(data)
        try:
            loaded = load_catalog(file)
        except InvalidCatalog as refused:
            if not all("expected " in sentence and "found " in sentence for sentence in refused.problems):
                raise AssertionError(f"expected sentences, found {refused.problems}") from refused
            return
        for _ in artifacts_of(loaded, file):
            pass


TARGETS: Mapping[str, Callable[[bytes], None]] = {"envelope": envelope, "catalog": catalog}
