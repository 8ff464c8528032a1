"""Wiring of the functions for e-mail: which adapter implements which port of `shared.mail`.

It stands on `shared.wiring`, from which it takes the publisher and the clock. Other functions do not carry it.
"""

import os
from functools import cache
from typing import TYPE_CHECKING

from shared import wiring
from shared.application.answer_link import LinkAnswers
from shared.application.deliver_email import EmailDelivery
from shared.mail.links import Links
from shared.mail.settings import read_link_settings, read_mail_settings
from shared.settings import read_settings

if TYPE_CHECKING:
    from shared.adapters.gcp.mail import FirestoreOutbox


def check_link_settings() -> None:
    """Raise `InvalidSettings` if links could not be answered in this environment."""
    read_link_settings(os.environ)


def check_mail_settings() -> None:
    """Raise `InvalidSettings` if no mail could be sent in this environment."""
    read_mail_settings(os.environ)


@cache
def links() -> Links:
    """The checks of links; making them takes the settings of `deliver_email`."""
    return Links("", read_link_settings(os.environ).keys)


@cache
def answers() -> LinkAnswers:
    """The use case for links."""
    wired = wiring.current()
    return LinkAnswers(_outbox(), wired.publisher, wired.clock)


@cache
def delivery() -> EmailDelivery:
    """The use case for triggers."""
    from shared.adapters.gcp.mail import FirestoreAddresses, FirestoreWords  # noqa: PLC0415 - as in `shared.wiring`
    from shared.adapters.smtp import SmtpMailer  # noqa: PLC0415

    wired, given = wiring.current(), read_mail_settings(os.environ)
    signed, kept = Links(given.link_base, given.links.keys), _outbox()
    addresses, words = FirestoreAddresses(kept.documents), FirestoreWords(kept.documents)
    return EmailDelivery(
        kept, addresses, words, SmtpMailer(given), wired.publisher, wired.clock, given.sender, signed
    )


@cache
def _outbox() -> "FirestoreOutbox":
    from shared.adapters.gcp.connection import FIRESTORE, connections  # noqa: PLC0415
    from shared.adapters.gcp.documents import Documents  # noqa: PLC0415
    from shared.adapters.gcp.mail import FirestoreOutbox  # noqa: PLC0415

    (firestore,) = connections(os.environ, FIRESTORE)
    return FirestoreOutbox(Documents(firestore, read_settings(os.environ).project))
