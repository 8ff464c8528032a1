"""The entry point for the links in mails, which anybody may call: only a signed link does anything.

A GET only asks: programs that scan mail for harm open every link in it. The answer counts with the POST that the
page's button sends, or that a mail program sends to the address in `List-Unsubscribe` (RFC 8058).
"""

import logging
from html import escape

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shared import mail_wiring, wiring
from shared.domain.errors import Transient
from shared.entrypoints.pubsub import Function
from shared.mail.links import Action

log = logging.getLogger(__name__)

BUTTONS = {
    Action.CLICK: "Go to the offer",
    Action.DISMISS: "I am not interested in this offer",
    Action.UNSUBSCRIBE: "Send me no more offers by e-mail",
}
DONE = {
    Action.DISMISS: "Thank you. We have noted that you are not interested in this offer.",
    Action.UNSUBSCRIBE: "You will get no more offers by e-mail.",
}
# No script, nothing of others, in no frame; the address, which is signed, is told to nobody.
HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<body>{content}</body></html>
"""


def link_function() -> Function:
    """The function that answers links. Raises `InvalidSettings` if it could not."""
    mail_wiring.check_link_settings()
    wiring.check_settings()

    async def email_links(request: Request) -> Response:
        if request.url.path == "/":
            return Response("ok\n")
        read = mail_wiring.links().read(request.url.path)
        if read is None:
            return _page("This link is not valid.", "<p>This link is not valid.</p>", 404)
        action, trigger_id = read
        if request.method != "POST":
            return _page(BUTTONS[action], f"<form method=post><button>{escape(BUTTONS[action])}</button></form>")
        return await _answered(action, trigger_id)

    functions_framework.aio.http(email_links)
    return email_links


async def _answered(action: Action, trigger_id: str) -> Response:
    try:
        target = await mail_wiring.answers().answer(action, trigger_id)
    except Transient as error:
        log.warning("a link could not be answered: %s", error)
        return _page("Please try again.", "<p>Please try again in a minute.</p>", 503)
    if target is None:
        return _page("This link is no longer valid.", "<p>This link is no longer valid.</p>", 404)
    if action is Action.CLICK:
        return RedirectResponse(target, 303, HEADERS)
    return _page(DONE[action], f"<p>{DONE[action]}</p>")


def _page(title: str, content: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), content=content), status, HEADERS)
