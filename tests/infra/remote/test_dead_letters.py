import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from infra.errors import InfraError
from infra.remote.dead_letters import Letter, UnreadableLetter, read_letter, redrive
from infra.remote.pubsub import Received
from infra.topology import load
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected

TOPOLOGY = load()
HOLD = TOPOLOGY.dead_letter.subscription


def received(number: int, data: bytes, attributes: Mapping[str, str] | None = None) -> Received:
    return Received(str(number), data, attributes or {}, datetime(2026, 1, 1, tzinfo=UTC), f"ack-{number}")


def ours(
    number: int, reason: str = "invalid", topic: str = "payment", data: bytes = b"\xff{", **more: object
) -> Received:
    body = {
        "reason": reason,
        "topic": topic,
        "data_base64": base64.b64encode(data).decode(),
        "attributes": {"k": "v"},
        **more,
    }
    return received(number, json.dumps(body).encode(), {"message_id": "x", "reason": reason, "topic": topic})


def forwarded(number: int, subscription: str = "trial-start", data: bytes = b"{}") -> Received:
    marks = {
        "CloudPubSubDeadLetterSourceSubscription": subscription,
        "CloudPubSubDeadLetterSourceDeliveryCount": "100",
    }
    return received(number, data, {"k": "v", **marks})


class Box:
    """An in-memory bus: pulled messages are out of the subscription until acknowledged or returned."""

    def __init__(self, *letters: Received) -> None:
        self.held = list(letters)
        self.out: list[Received] = []
        self.published: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.fails_after: int | None = None

    def pull(self, subscription: str, count: int) -> list[Received]:
        assert subscription == HOLD
        batch, self.held = self.held[:count], self.held[count:]
        self.out += batch
        return batch

    def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
        if self.fails_after == len(self.published):
            raise InfraError("the bus does not answer")
        self.published.append((topic, data, attributes))
        return str(len(self.published))

    def ack(self, subscription: str, received: Sequence[Received]) -> None:
        assert subscription == HOLD
        self.out = [each for each in self.out if each not in received]

    def release(self, subscription: str, received: Sequence[Received]) -> None:
        assert subscription == HOLD
        self.ack(subscription, received)
        self.held += received


def ids(messages: Sequence[Received]) -> set[str]:
    return {message.message_id for message in messages}


def test_a_letter_of_ours_gives_back_the_original_bytes_and_attributes():
    assert read_letter(ours(1), TOPOLOGY) == Letter("payment", "invalid", b"\xff{", {"k": "v"})


def test_a_forwarded_letter_is_the_message_itself_without_the_marks_of_pubsub():
    letter = read_letter(forwarded(1, data=b"\x00"), TOPOLOGY)
    assert letter == Letter("trial-start", "undelivered", b"\x00", {"k": "v"})


def test_a_forwarded_letter_finds_its_topic_by_its_subscription():
    assert read_letter(forwarded(1, "churn-signal"), TOPOLOGY).topic == "churn-signal"


@pytest.mark.parametrize(
    "junk",
    [
        received(1, b"not json"),
        received(1, b"[]"),
        received(1, b"{}"),
        ours(1, data_base64="%%%"),
        ours(1, attributes="none"),
        ours(1, attributes={"k": 1}),
        ours(1, reason=["invalid"]),
        ours(1, topic="decision"),
        ours(1, topic="no-such-topic"),
        ours(1, topic=["payment"]),
        ours(1, data=b"", attributes={}),
        ours(1, truncated_from=2_000_000),
        forwarded(1, "somebody-elses-subscription"),
    ],
)
def test_a_letter_that_is_not_complete_or_does_not_say_where_it_came_from_is_unreadable(junk):
    with pytest.raises(UnreadableLetter):
        read_letter(junk, TOPOLOGY)


@pytest.mark.parametrize("letter", [ours(1, data=b""), ours(1, data=b"{}", attributes={})])
def test_a_letter_of_data_alone_or_attributes_alone_can_be_sent_back(letter):
    assert read_letter(letter, TOPOLOGY).topic == "payment"


def test_a_letter_as_the_functions_write_it_is_read_back_as_it_came():
    delivery = Delivery(b"\x00 not json", {"source": "shop"})
    message = dead_letter("payment", delivery, Rejected(RejectionReason.NOT_JSON, "expected JSON"))
    letter = read_letter(received(1, message.data, message.attributes()), TOPOLOGY)
    assert letter == Letter("payment", RejectionReason.NOT_JSON, delivery.data, delivery.attributes)


def test_a_dry_run_moves_nothing_and_says_what_it_would_send():
    box = Box(ours(1), ours(2), forwarded(3), received(4, b"junk"))
    done = redrive(box, TOPOLOGY)
    assert done.counts() == {("invalid", "payment"): 2, ("undelivered", "trial-start"): 1}
    assert (done.dry, done.kept, done.unreadable) == (True, 0, 1)
    assert (box.published, box.out, ids(box.held)) == ([], [], {"1", "2", "3", "4"})


def test_letters_go_back_to_their_topics_as_they_were():
    box = Box(ours(1, data=b"one"), forwarded(2, data=b"two"))
    redrive(box, TOPOLOGY, dry=False)
    assert box.published == [("payment", b"one", {"k": "v"}), ("trial-start", b"two", {"k": "v"})]
    assert (box.held, box.out) == ([], [])


def test_letters_of_another_reason_stay():
    box = Box(ours(1, reason="invalid"), ours(2, reason="future_dated"), forwarded(3))
    done = redrive(box, TOPOLOGY, reason="future_dated", dry=False)
    assert (len(box.published), done.kept) == (1, 2)
    assert ids(box.held) == {"1", "3"}


def test_letters_that_nobody_can_read_stay():
    box = Box(received(1, b"junk"), ours(2))
    done = redrive(box, TOPOLOGY, dry=False)
    assert (done.unreadable, done.kept) == (1, 0)
    assert ids(box.held) == {"1"}


def test_no_more_than_the_limit_is_sent_and_the_rest_stays():
    box = Box(*(ours(number) for number in range(250)))
    done = redrive(box, TOPOLOGY, limit=120, dry=False)
    assert (len(box.published), len(done.letters), len(box.held), box.out) == (120, 120, 130, [])


def test_letters_wanted_are_found_behind_many_that_are_not():
    box = Box(*(ours(number) for number in range(250)), ours(251, reason="future_dated"))
    redrive(box, TOPOLOGY, reason="future_dated", limit=1, dry=False)
    assert (len(box.published), len(box.held)) == (1, 250)


def test_a_letter_that_cannot_be_published_stays_with_all_that_follow():
    box = Box(*(ours(number) for number in range(5)))
    box.fails_after = 2
    with pytest.raises(InfraError):
        redrive(box, TOPOLOGY, dry=False)
    assert ids(box.held) == {"2", "3", "4"}
    assert box.out == []


def test_a_letter_that_fails_again_meanwhile_is_not_sent_in_circles():
    class Boomerang(Box):
        def publish(self, topic: str, data: bytes, attributes: Mapping[str, str]) -> str:
            self.held.append(ours(100 + len(self.published)))
            return super().publish(topic, data, attributes)

    box = Boomerang(ours(1), ours(2))
    redrive(box, TOPOLOGY, dry=False)
    assert len(box.published) == 2
    assert ids(box.held) == {"100", "101"}


def test_a_pull_that_brings_nothing_is_tried_once_more():
    class Slow(Box):
        pulls = 0

        def pull(self, subscription: str, count: int) -> list[Received]:
            self.pulls += 1
            return super().pull(subscription, count) if self.pulls % 2 == 0 else []

    box = Slow(ours(1))
    assert len(redrive(box, TOPOLOGY, dry=False).letters) == 1


def test_a_letter_delivered_twice_is_sent_once():
    box = Box(ours(1), ours(1), ours(2))
    redrive(box, TOPOLOGY, dry=False)
    assert len(box.published) == 2
