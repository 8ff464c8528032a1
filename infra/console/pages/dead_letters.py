"""Dead letters: what could not be processed, by reason; and one letter, to mend, send back or drop."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.console.context import Console
from infra.console.letters import LetterSource, letters_of
from infra.remote.dead_letters import Letter
from infra.remote.forecast import Forecast, forecast
from infra.remote.letter_box import FRESH_SECONDS, REMEMBERED_SECONDS, LetterBox, LetterGone
from infra.remote.letter_page import payload_lines, payload_text, user_of
from infra.remote.letter_records import changed_fields, records, records_of
from infra.remote.mending import accepted
from infra.terminal.user_name import user_name
from infra.terminal.values import NO_JSON
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.reasons import RejectionReason

PATH = "/dead-letters"
PAGE = 100
"""Letters of one page."""
MAX_RECORDS = 20
MEANINGS = {reason.value: reason.meaning.replace("`", "") for reason in RejectionReason}


class Draft(NamedTuple):
    """A changed event, not sent yet."""

    text: str
    is_same: bool
    """True if it says the same as the letter's own."""
    forecast: Forecast
    changed: tuple[str, ...]
    """The names of the fields that differ."""

    @property
    def can_be_sent(self) -> bool:
        """True for another event that would be accepted."""
        return not self.is_same and self.forecast.checked.reason is None


def routes(console: Console) -> Sequence[Route]:
    """The list, and the page of one letter, which takes what is to become of it."""
    source, box = letters_of(console.sources)
    desk = _Desk(console, source)

    async def act(request: Request) -> Response:
        fields = await console.forms.fields_of(request)
        if box is None:
            raise HTTPException(403, "a replay's letters cannot be sent back: nothing runs here")
        try:
            return await run_in_threadpool(desk.act, request, box, fields)
        except LetterGone as gone:
            raise HTTPException(409, f"{gone}; nothing was done") from gone

    return [
        Route(PATH, desk.list),
        Route(PATH + "/{letter_id}", desk.show, methods=["GET"]),
        Route(PATH + "/{letter_id}", act, methods=["POST"]),
    ]


class _Desk:
    """Fills the pages."""

    def __init__(self, console: Console, source: LetterSource) -> None:
        self._console, self._source = console, source

    def list(self, request: Request) -> Response:
        reason, number = request.query_params.get("reason"), _page_of(request)
        letters, unreadable = self._source.letters(FRESH_SECONDS if number == 1 else REMEMBERED_SECONDS)
        chosen = [letter for letter in letters if reason in (None, letter.reason)]
        return self._console.render.page(
            request,
            "dead_letters.html",
            counts=Counter(letter.reason for letter in letters).most_common(),
            meanings=MEANINGS,
            reason=reason,
            letters=[(letter, user_of(letter)) for letter in islice(chosen, (number - 1) * PAGE, number * PAGE)],
            total=len(chosen),
            unreadable=unreadable,
            number=number,
            pages=max(1, -(-len(chosen) // PAGE)),
            records=self._records(),
            waits=self._console.sources.running is not None,
        )

    def show(self, request: Request) -> Response:
        letter_id = request.path_params["letter_id"]
        past = self._records(letter_id)
        found = self._find(letter_id, *((FRESH_SECONDS,) if past else (REMEMBERED_SECONDS, 0)))
        if found is None and not past:
            raise HTTPException(
                404, "There is no such letter: nobody has dealt with one of this id, and none waits."
            )
        return self._letter_page(request, letter_id, found, past)

    def act(self, request: Request, box: LetterBox, fields: dict[str, str]) -> Response:
        """Do with the letter what a form says, and show it afterwards; a check only shows it."""
        letter_id, action = request.path_params["letter_id"], fields.get("action", "")
        why, by, at = fields.get("why", "").strip(), user_name(), datetime.now(UTC)
        if action == "resend":
            box.send_back(letter_id, at, by, why)
        elif action == "drop":
            if not why:
                raise HTTPException(
                    400, "why: expected a reason for the record, found nothing; nothing was dropped"
                )
            box.drop(letter_id, at, by, why)
        elif action in ("check", "mend"):
            letter = self._find(letter_id, REMEMBERED_SECONDS, 0)
            if letter is None:
                raise LetterGone
            draft = self._draft(letter, fields.get("data", ""))
            if action == "check" or not draft.can_be_sent:
                return self._letter_page(request, letter_id, letter, self._records(letter_id), draft)
            box.send_back(letter_id, at, by, why, accepted(letter, _data_of(letter, draft.text)))
        else:
            raise HTTPException(400, f"action: expected check, mend, resend or drop, found {action!r}")
        return RedirectResponse(f"{PATH}/{letter_id}", 303)

    def _letter_page(
        self,
        request: Request,
        letter_id: str,
        letter: Letter | None,
        past: Sequence[Any],
        draft: Draft | None = None,
    ) -> Response:
        return self._console.render.page(
            request,
            "dead_letter.html",
            letter_id=letter_id,
            letter=letter,
            user=user_of(letter) if letter else "",
            lines=payload_lines(letter) if letter else [],
            meaning=MEANINGS.get(letter.reason, "") if letter else "",
            forecast=self._forecast(letter, letter.data) if letter else None,
            text=draft.text if draft else payload_text(letter) if letter else "",
            draft=draft,
            records=past,
            waits=self._console.sources.running is not None,
        )

    def _find(self, letter_id: str, *max_ages: float) -> Letter | None:
        """A letter among those that were read at most so long ago; if it is not there, of the next age."""
        for max_age in max_ages:
            letters = self._source.letters(max_age).readable
            if found := next((letter for letter in letters if letter.id == letter_id), None):
                return found
        return None

    def _draft(self, letter: Letter, text: str) -> Draft:
        data = _data_of(letter, text)
        return Draft(
            text.replace("\r\n", "\n"),
            data == letter.data,
            self._forecast(letter, data),
            tuple(changed_fields(letter.data, data)),
        )

    def _forecast(self, letter: Letter, data: bytes) -> Forecast:
        sources = self._console.sources
        return forecast(
            letter.topic,
            Delivery(data, {**letter.attributes}),
            sources.documents.read,
            sources.now(),
            sources.terms,
        )

    def _records(self, letter_id: str | None = None) -> Sequence[Any]:
        running = self._console.sources.running
        if running is None:
            return ()
        read = partial(records_of, running.firestore, letter_id) if letter_id else None
        return read() if read else records(running.firestore, MAX_RECORDS)


def _page_of(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not (text.isdecimal() and 0 < int(text[:9]) < 10**8):
        raise HTTPException(400, f"page: expected a number from 1, found {text!r}")
    return int(text)


def _data_of(letter: Letter, text: str) -> bytes:
    """The bytes of an edited event; the letter's own if it says the same."""
    data = text.replace("\r\n", "\n").encode()
    try:
        same = json.loads(data) == json.loads(letter.data)
    except NO_JSON:
        same = text.replace("\r\n", "\n") == payload_text(letter).replace("\r\n", "\n")
    return letter.data if same else data
