"""Mail for triggers: each at most once, in any order, whatever fails, and wherever the process is killed."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from shared.adapters.smtp import SmtpMailer
from shared.application import deliver_email
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.errors import Transient
from shared.mail.errors import Bounced, NotSent, Unsure
from shared.mail.links import Action
from shared.mail.outbox import LEASE, MAX_PLACES, Reader, State
from shared.mail.ports import Address, Words
from shared.mail.settings import LinkSettings, MailSettings
from tests.support.mail import ENTRY, KEY, NOW, SENDER, TRIGGER_ID, World, mail_server, trigger

DELIVERED = (f"{TRIGGER_ID}.delivered", "delivered")
TRACED = (Path(deliver_email.__file__), Path(sys.modules[SmtpMailer.__module__].__file__ or ""))
"""The files at every line of which a test kills the delivery."""


@pytest.fixture
def world() -> World:
    return World()


def state(world: World) -> State:
    mail, _ = world.outbox.mails[TRIGGER_ID]
    return mail.state


async def test_a_trigger_is_mailed_once_and_reported_however_often_it_comes(world: World) -> None:
    assert await world.delivery.deliver(trigger()) == "sent"
    assert [await world.delivery.deliver(trigger()) for _ in range(3)] == ["duplicate"] * 3
    assert len(world.mailer.letters) == 1
    assert world.reported == [DELIVERED]
    bodies = [message.body for message in world.bus.taken]
    assert bodies == bodies[:1] * 4, "a report that is published again is the same event"


async def test_what_is_for_another_channel_or_has_expired_is_not_mailed(world: World) -> None:
    assert await world.delivery.deliver(trigger(channel="in_app")) == "ignored"
    assert await world.delivery.deliver(trigger(expires_at=NOW)) == "expired"
    assert world.mailer.letters == []


async def test_revoked_is_final_in_either_order(world: World) -> None:
    assert await world.delivery.deliver(trigger(kind="revoked", sequence=8)) == "revoked"
    assert await world.delivery.deliver(trigger()) == "revoked"
    assert world.mailer.letters == []
    other = trigger(trigger_id="other", sequence=9)
    assert await world.delivery.deliver(other) == "sent"
    assert await world.delivery.deliver(other.model_copy(update={"kind": "revoked"})) == "too_late"
    assert len(world.mailer.letters) == 1


async def test_a_trigger_revoked_while_the_server_is_asked_is_not_sent(world: World) -> None:
    class Slow(type(world.mailer)):
        def open(self, letter: Any) -> Any:
            revoke = world.delivery.deliver(trigger(kind="revoked", sequence=8))
            while True:
                try:
                    revoke.send(None)
                except StopIteration:
                    break
            return super().open(letter)

    world.mailer = Slow()
    with pytest.raises(Transient):
        await world.delivery.deliver(trigger())
    assert await world.delivery.deliver(trigger()) == "revoked"
    assert world.mailer.letters == []


async def test_an_older_trigger_of_a_placement_that_comes_later_is_superseded(world: World) -> None:
    assert await world.delivery.deliver(trigger(trigger_id="newer", sequence=9)) == "sent"
    assert await world.delivery.deliver(trigger(sequence=7)) == "superseded"
    assert await world.delivery.deliver(trigger(sequence=7, placement="newsletter")) == "sent"
    assert len(world.mailer.letters) == 2


async def test_nobody_is_mailed_without_an_address_or_after_opting_out(world: World) -> None:
    world.addresses.kept = {
        "eve": Address("eve@example.org\r\nBcc: all@example.org"),
        "bob": Address("bob@example.org"),
    }
    world.outbox.readers["bob"] = (Reader(opted_out_at=NOW), 1)
    outcomes = [
        await world.delivery.deliver(trigger(user_id=user, trigger_id=user)) for user in ("ada", "eve", "bob")
    ]
    assert outcomes == ["no_address", "bad_address", "opted_out"]
    assert world.mailer.letters == world.bus.taken == []


@pytest.mark.parametrize("entry", [None, {"fr": ENTRY["de"]}, {"default": Words("$nobody", "text", "https://x")}])
async def test_a_mail_waits_for_its_words_until_it_expires(world: World, entry: Any) -> None:
    world.words.kept = {"offers/half": entry} if entry else {}
    with pytest.raises(Transient, match="expected"):
        await world.delivery.deliver(trigger())
    world.words.kept = {"offers/half": ENTRY}
    assert await world.delivery.deliver(trigger()) == "sent"


async def test_a_bounce_ends_it_and_a_failure_for_now_does_not(world: World) -> None:
    world.mailer.refuses = NotSent("451")
    for _ in range(3):
        with pytest.raises(NotSent):
            await world.delivery.deliver(trigger())
    world.mailer.refuses = Bounced("550")
    assert await world.delivery.deliver(trigger()) == "bounced"
    world.mailer.refuses = None
    assert await world.delivery.deliver(trigger()) == "duplicate"
    assert world.mailer.letters == world.bus.taken == []


async def test_a_mail_that_may_have_been_taken_is_not_sent_again(world: World) -> None:
    world.mailer.fails = Unsure("the connection ended")
    assert await world.delivery.deliver(trigger()) == "in_doubt"
    world.mailer.fails = None
    assert await world.delivery.deliver(trigger()) == "duplicate"
    assert world.mailer.letters == world.bus.taken == []


async def test_of_many_deliveries_at_once_one_sends(world: World) -> None:
    deliveries = (world.delivery.deliver(trigger()) for _ in range(50))
    outcomes = await asyncio.gather(*deliveries, return_exceptions=True)
    assert outcomes.count("sent") == 1
    assert all(isinstance(each, Transient) for each in outcomes if not isinstance(each, str))
    assert len(world.mailer.letters) == 1


async def test_a_hundred_triggers_at_once_are_a_hundred_mails(world: World) -> None:
    users = [f"u{number}" for number in range(100)]
    world.addresses.kept = {user: Address(f"{user}@example.org") for user in users}
    with mail_server() as (sink, port):
        world.mailer = mailer(port)
        triggers = [trigger(trigger_id=f"t-{user}", user_id=user) for user in users]
        outcomes = await asyncio.gather(
            *(world.delivery.deliver(each) for each in triggers * 2), return_exceptions=True
        )
        assert outcomes.count("sent") == 100
        assert sorted(sink.recipients) == sorted(f"{user}@example.org" for user in users)
    assert len(world.reported) == 100


def test_the_newest_sequences_of_a_reader_are_bounded() -> None:
    reader = Reader()
    for number in range(1, 100):
        reader = reader.with_newest(f"p{number}", number)
    assert len(reader.newest) == MAX_PLACES
    assert reader.sequence("p99") == 99


def mailer(port: int) -> SmtpMailer:
    links = LinkSettings((KEY,))
    return SmtpMailer(MailSettings(links, "127.0.0.1", SENDER, "http://links", port, security="none"))


class Killed(BaseException):
    """The process is gone: no handler of errors catches it."""


class Killer:
    """Kills the delivery at the n-th line that it runs; a tracer. Nothing that would still run has an effect."""

    def __init__(self, at: int) -> None:
        self.at, self.lines, self.dead = at, 0, False

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if Path(frame.f_code.co_filename) not in TRACED:
            return None
        if event == "line" and not self.dead:
            self.lines += 1
            if self.lines == self.at:
                self.dead = True
                raise Killed
        return self


async def killed_at(world: World, line: int) -> bool:
    """Deliver, and die at this line. Returns False if the delivery was done before it."""
    killer, before = Killer(line), sys.gettrace()
    sys.settrace(killer)
    try:
        await world.delivery.deliver(trigger())
    except Killed:
        return True
    finally:
        sys.settrace(before)
    return False


async def test_killed_at_every_line_between_reading_and_acking_no_trigger_is_mailed_twice() -> None:
    """Deliver again, as Pub/Sub then does, at once and when the lease has ended."""
    counted: dict[str, int] = {}
    with mail_server() as (sink, port):
        for line in range(1, 500):
            world = World(mailer(port))
            sink.received.clear()
            was_killed = await killed_at(world, line)
            last = await delivered_until_acknowledged(world)
            mails = len(sink.received)
            assert mails == 1 or (mails == 0 and last == "in_doubt"), f"line {line}: {mails} mails, {last}"
            assert (DELIVERED in world.reported) == (state(world) is State.SENT)
            counted[last] = counted.get(last, 0) + 1
            if not was_killed:
                break
    assert not was_killed, "expected the delivery to have fewer lines"
    print(f"killed at {line - 1} lines; outcomes of the last delivery: {counted}")
    assert set(counted) == {"sent", "duplicate", "in_doubt"}


async def delivered_until_acknowledged(world: World) -> str:
    """The outcome of the redelivery that is acknowledged, each by a new process."""
    for _ in range(5):
        try:
            return await world.delivery.deliver(trigger())
        except Transient:
            world.clock.pass_by(LEASE + timedelta(seconds=1))
    raise AssertionError("expected an acknowledgement within five deliveries")


async def test_an_answer_is_reported_once_and_leads_to_the_offer(world: World) -> None:
    await world.delivery.deliver(trigger())
    world.bus.taken.clear()
    target = f"https://shop.example/half?trigger={TRIGGER_ID}"
    assert await world.answers.answer(Action.CLICK, TRIGGER_ID) == target
    world.clock.pass_by(timedelta(hours=1))
    assert await world.answers.answer(Action.CLICK, TRIGGER_ID) == target
    assert world.reported == [(f"{TRIGGER_ID}.clicked", "clicked")]
    assert {message.body["occurred_at"] for message in world.bus.taken} == {"2026-04-15T09:31:00Z"}


async def test_every_report_is_an_event_that_upbeat_takes(world: World) -> None:
    await world.delivery.deliver(trigger())
    for action in Action:
        await world.answers.answer(action, TRIGGER_ID)
    events = [parse_event(message.topic, Delivery(message.data, {})) for message in world.bus.taken]
    assert [event.fact.kind.value for event in events] == ["delivered", "clicked", "dismissed", "dismissed"]
    assert {event.user_id for event in events} == {"ada"}
    assert not any(event.misspelt for event in events)


async def test_who_unsubscribes_gets_no_mail_any_more(world: World) -> None:
    await world.delivery.deliver(trigger())
    await world.answers.answer(Action.UNSUBSCRIBE, TRIGGER_ID)
    assert world.reported == [DELIVERED, (f"{TRIGGER_ID}.dismissed", "dismissed")]
    assert await world.delivery.deliver(trigger(trigger_id="next", sequence=8)) == "opted_out"


async def test_a_link_without_a_mail_does_nothing(world: World) -> None:
    assert await world.answers.answer(Action.CLICK, "unknown") is None
    assert world.bus.taken == []
