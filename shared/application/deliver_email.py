"""The use case for a trigger on the channel `email`: claim the mail, send it once, report its delivery."""

import logging
from datetime import datetime
from email.headerregistry import Address as Sender
from typing import NamedTuple

from shared.domain.errors import Conflict, Transient
from shared.domain.instants import later
from shared.mail.errors import Bounced, NotSent, Unsure
from shared.mail.feedback import feedback
from shared.mail.letter import is_address, letter, target, words_for
from shared.mail.links import Links
from shared.mail.outbox import FINAL, KEPT, LEASE, Mail, State
from shared.mail.ports import Addresses, Letter, Mailer, Outbox, Words, WordsSource
from shared.mail.trigger import MailTrigger
from shared.ports import Clock, Publisher

log = logging.getLogger(__name__)

CHANNEL = "email"


class _Ready(NamedTuple):
    """A mail that can be sent, and the address to which a click on it leads."""

    letter: Letter
    target: str


class EmailDelivery:
    """Sends the mail of each trigger at most once, in whatever order and however often its messages arrive."""

    def __init__(
        self,
        outbox: Outbox,
        addresses: Addresses,
        words: WordsSource,
        mailer: Mailer,
        publisher: Publisher,
        clock: Clock,
        sender: Sender,
        links: Links,
    ) -> None:
        self.outbox = outbox
        self.addresses = addresses
        self.words = words
        self.mailer = mailer
        self.publisher = publisher
        self.clock = clock
        self.sender = sender
        self.links = links

    async def deliver(self, trigger: MailTrigger) -> str:
        """Handle one message, and return its outcome for the log.

        Raises `Transient` if a redelivery may succeed, or must find out what became of another delivery.
        """
        if trigger.channel != CHANNEL:
            return "ignored"
        try:
            return await (self._revoke(trigger) if trigger.kind == "revoked" else self._issue(trigger))
        except Conflict as error:
            raise Transient("another delivery has changed the mail or its reader meanwhile") from error

    async def _revoke(self, trigger: MailTrigger) -> str:
        """Note that the trigger was taken back: final, also if `issued` comes later. What was sent stays sent."""
        mail, version = await self.outbox.load_mail(trigger.trigger_id)
        if mail is None:
            mail = _new(trigger, State.REVOKED)
        elif mail.state in FINAL or mail.state is State.SENDING:
            return "duplicate" if mail.state is State.REVOKED else "too_late"
        await self.outbox.save_mail(trigger.trigger_id, mail._replace(state=State.REVOKED), version)
        return "revoked"

    async def _issue(self, trigger: MailTrigger) -> str:
        now = self.clock.now()
        mail, version = await self.outbox.load_mail(trigger.trigger_id)
        if mail and mail.state in FINAL:
            return await self._again(trigger, mail)
        if mail and mail.is_leased(now):
            raise Transient("another delivery is at work on this mail")
        if mail and mail.state is State.SENDING:
            return await self._end(trigger, mail, State.IN_DOUBT, version)
        if trigger.is_expired(now):
            return "expired"
        if not_for := await self._not_for_reader(trigger):
            return not_for
        ready = await self._ready(trigger, now)
        if isinstance(ready, str):
            return ready
        return await self._send(trigger, ready, version)

    async def _again(self, trigger: MailTrigger, mail: Mail) -> str:
        """Answer for a mail that is done. The process may have died before its report went out."""
        if mail.sent_at:
            await self._report(trigger, mail.sent_at)
        return "duplicate" if mail.state is not State.REVOKED else "revoked"

    async def _not_for_reader(self, trigger: MailTrigger) -> str | None:
        """The reason why the user gets no mail; otherwise note the trigger as the newest of its placement."""
        reader, version = await self.outbox.load_reader(trigger.user_id)
        if reader.opted_out_at:
            return "opted_out"
        newest = reader.sequence(trigger.placement)
        if newest > trigger.sequence:
            return "superseded"
        if newest < trigger.sequence:
            noted = reader.with_newest(trigger.placement, trigger.sequence)
            await self.outbox.save_reader(trigger.user_id, noted, version)
        return None

    async def _ready(self, trigger: MailTrigger, now: datetime) -> _Ready | str:
        """The mail, or the outcome if there is nobody to send it to. Raises `Transient` while it has no words."""
        address = await self.addresses.find(trigger.user_id)
        if address is None:
            return "no_address"
        if not is_address(address.email):
            return "bad_address"
        words = await self._words(trigger, address.locale)
        written = letter(trigger, address, words, self.sender, self.links, now)
        return _Ready(written, target(trigger, words))

    async def _words(self, trigger: MailTrigger, locale: str) -> Words:
        entry = await self.words.find(trigger.cms_ref) if trigger.cms_ref else None
        words = words_for(entry, locale) if entry else None
        if words is None:
            raise Transient(f"expected words for {trigger.cms_ref} in {locale or 'default'}, found none")
        return words

    async def _send(self, trigger: MailTrigger, ready: _Ready, version: object | None) -> str:
        """Claim, have the server accept the recipient, hand over; each step is noted before it begins."""
        trigger_id, until = trigger.trigger_id, later(self.clock.now(), LEASE)
        mail = _new(trigger, State.CLAIMED)._replace(leased_until=until, target=ready.target)
        version = await self.outbox.save_mail(trigger_id, mail, version)
        try:
            async with self.mailer.open(ready.letter) as handover:
                version = await self.outbox.save_mail(trigger_id, mail._replace(state=State.SENDING), version)
                await handover.send()
                mail = mail._replace(sent_at=self.clock.now())
                await self._end(trigger, mail, State.SENT, version)
        except (Bounced, Unsure) as error:
            log.warning("the mail of trigger %s ends: %s", trigger_id, error)
            state = State.BOUNCED if isinstance(error, Bounced) else State.IN_DOUBT
            return await self._end(trigger, mail, state, version)
        except NotSent:
            await self._end(trigger, mail, State.WAITING, version)
            raise
        await self._report(trigger, mail.sent_at or self.clock.now())
        return "sent"

    async def _end(self, trigger: MailTrigger, mail: Mail, state: State, version: object | None) -> str:
        """Note that no delivery works on the mail any more, and how it ended."""
        await self.outbox.save_mail(trigger.trigger_id, mail._replace(state=state, leased_until=None), version)
        return state.value

    async def _report(self, trigger: MailTrigger, sent_at: datetime) -> None:
        await self.publisher.publish([feedback(trigger.trigger_id, trigger.user_id, "delivered", sent_at)])


def _new(trigger: MailTrigger, state: State) -> Mail:
    return Mail(state, trigger.user_id, forget_at=later(trigger.expires_at, KEPT))
