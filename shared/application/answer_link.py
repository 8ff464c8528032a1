"""The use case for a link in a mail: note the answer once, and report it."""

from datetime import datetime

from shared.domain.errors import Conflict, Transient
from shared.mail.feedback import feedback
from shared.mail.links import Action
from shared.mail.outbox import Mail
from shared.mail.ports import Outbox
from shared.ports import Clock, Publisher

ATTEMPTS = 5
"""Attempts on conflicts: two answers at once, or one while the delivery notes that the mail was sent."""


class LinkAnswers:
    """Answers the links of mails that were sent."""

    def __init__(self, outbox: Outbox, publisher: Publisher, clock: Clock) -> None:
        self.outbox = outbox
        self.publisher = publisher
        self.clock = clock

    async def answer(self, action: Action, trigger_id: str) -> str | None:
        """Report the answer, and return the address of the offer; None if no mail of this trigger is kept.

        The first answer of a kind counts, and a later one reports the same event again. Raises `Transient`.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self._answer(action, trigger_id)
            except Conflict:
                continue
        raise Transient(f"the mail or its reader changed during each of {ATTEMPTS} attempts")

    async def _answer(self, action: Action, trigger_id: str) -> str | None:
        mail, version = await self.outbox.load_mail(trigger_id)
        if mail is None:
            return None
        kind = "clicked" if action is Action.CLICK else "dismissed"
        at = mail.clicked_at if action is Action.CLICK else mail.dismissed_at
        if at is None:
            at = self.clock.now()
            await self.outbox.save_mail(trigger_id, _answered(mail, kind, at), version)
        if action is Action.UNSUBSCRIBE:
            await self._opt_out(mail.user_id, at)
        await self.publisher.publish([feedback(trigger_id, mail.user_id, kind, at)])
        return mail.target

    async def _opt_out(self, user_id: str, at: datetime) -> None:
        reader, version = await self.outbox.load_reader(user_id)
        if reader.opted_out_at is None:
            await self.outbox.save_reader(user_id, reader._replace(opted_out_at=at), version)


def _answered(mail: Mail, kind: str, at: datetime) -> Mail:
    return mail._replace(clicked_at=at) if kind == "clicked" else mail._replace(dismissed_at=at)
