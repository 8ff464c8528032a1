"""Dead letters on a terminal: what a sender or an operator wrote is text, whatever it looks like."""

import json
from datetime import UTC, datetime

from infra.remote.dead_letters import Letter
from infra.remote.letter_page import letters_page, records_page
from infra.remote.letter_records import Action, record_of
from infra.terminal.console import console

MARKUP = "[red]x[/red]"
LETTER = Letter("payment", "invalid", json.dumps({"user_id": MARKUP}).encode(), {}, f"amount: {MARKUP}")


def shown(page: object) -> str:
    output = console()
    output.width = 300
    with output.capture() as captured:
        output.print(page)
    return captured.get()


def test_markup_in_a_letter_is_listed_as_it_stands() -> None:
    assert shown(letters_page([LETTER])).count(MARKUP) == 2


def test_markup_in_a_record_is_listed_as_it_stands() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert shown(records_page([record_of(LETTER, Action.RESENT, at, MARKUP, MARKUP)])).count(MARKUP) == 2
