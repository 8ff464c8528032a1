"""The mail for a trigger: the words of its entry, filled in, with the headers that receivers ask for."""

import html
import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from string import Template

from shared.domain.errors import Transient
from shared.mail.links import Action, Links
from shared.mail.ports import Address, Letter, Words
from shared.mail.trigger import MailTrigger

# HTML's own rule for an address, in ASCII: it lets no line break, space or comma through.
# https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_is_address = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+").fullmatch
MAX_ADDRESS = 254
SEVEN_BITS = SMTP.clone(cte_type="7bit")
"""Every server takes it, whatever extensions it has."""


def is_address(email: str) -> bool:
    """True for an address to which a mail can be sent."""
    return len(email) <= MAX_ADDRESS and _is_address(email) is not None


def words_for(entry: Mapping[str, Words], locale: str) -> Words | None:
    """The words in a language: of the exact locale, of its language, or of the entry's `default`."""
    wanted = (locale, locale.partition("-")[0], "default")
    return next((entry[name] for name in wanted if name in entry), None)


def target(trigger: MailTrigger, words: Words) -> str:
    """The address to which a click leads; `$trigger_id` in it lets the shop say what led to a purchase."""
    return Template(words.url).safe_substitute(trigger_id=trigger.trigger_id)


def letter(
    trigger: MailTrigger, to: Address, words: Words, sender: HeaderAddress, links: Links, now: datetime
) -> Letter:
    """The mail. Raises `Transient` if the words ask for a name that there is not, since they may be corrected."""
    known = {
        "offer_id": trigger.offer_id,
        "plan_to": trigger.plan_to or "",
        "price_ref": trigger.price_ref or "",
        "expires_on": f"{trigger.expires_at:%Y-%m-%d}",
        **{action.value: links.link(action, trigger.trigger_id) for action in Action},
    }
    unsubscribe = known[Action.UNSUBSCRIBE]
    message = EmailMessage(SEVEN_BITS)
    message["From"] = sender
    message["To"] = to.email
    message["Subject"] = " ".join(_filled(words.subject, known, trigger).split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{trigger.trigger_id}@{sender.domain}>"  # a receiver can drop a second one
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(_filled(words.text, known, trigger))
    if words.html:
        escaped = {name: html.escape(value) for name, value in known.items()}
        message.add_alternative(_filled(words.html, escaped, trigger), subtype="html")
    return Letter(sender.addr_spec, to.email, message.as_bytes())


def _filled(template: str, known: Mapping[str, str], trigger: MailTrigger) -> str:
    try:
        return Template(template).substitute(known)
    except (KeyError, ValueError) as error:
        expected = ", ".join(f"${name}" for name in known)
        raise Transient(
            f"the words of {trigger.cms_ref}: expected only {expected} (and $$ for a dollar), found {error}"
        ) from None
