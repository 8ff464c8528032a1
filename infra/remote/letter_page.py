"""A dead letter for people: its payload decoded, with the reason beside the field that it is about."""

import json
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from infra.inspect.reasons import at_top, by_field
from infra.remote.dead_letters import Letter
from infra.remote.letter_records import LetterRecord
from infra.terminal.values import NO_JSON

SHORT_ID = 12
"""Characters of an id in lists; any beginning that is unique will do for a command."""


def letters_page(letters: Iterable[Letter]) -> Table:
    """One line a letter."""
    table = _table("letter", "arrived", "topic", "reason", "user", "detail")
    for letter in letters:
        arrived = f"{letter.arrived_at:%Y-%m-%d %H:%M}" if letter.arrived_at else ""
        cells = letter.id[:SHORT_ID], arrived, letter.topic, letter.reason, user_of(letter), letter.detail
        table.add_row(*map(Text, cells))  # as text: what a sender wrote must not count as markup
    return table


def letter_page(letter: Letter) -> Group:
    """Everything about one letter."""
    lines = [
        Text(f"letter   {letter.id}"),
        Text(f"topic    {letter.topic}"),
        Text(f"reason   {letter.reason}"),
        Text(f"detail   {letter.detail or 'none: Pub/Sub gave up on it, see the log of the function'}"),
    ]
    lines += [Text(f"{name} = {value}") for name, value in sorted(letter.attributes.items())]
    return Group(*lines, Text(), *_payload(letter))


def records_page(records: Iterable[LetterRecord]) -> Table:
    """The fate of letters, one line each."""
    table = _table("when", "letter", "topic", "reason", "action", "by", "why", "changed")
    for each in records:
        about = f"{each.at:%Y-%m-%d %H:%M}", each.letter_id[:SHORT_ID], each.topic, each.reason
        done = each.action.value, each.by, each.why, ", ".join(each.changed)
        table.add_row(*map(Text, (*about, *done)))
    return table


def payload_text(letter: Letter) -> str:
    """The data as text to read or edit: JSON with one field a line if it is JSON, else as it is."""
    try:
        return json.dumps(json.loads(letter.data), indent=2, ensure_ascii=False)
    except NO_JSON:
        return letter.data.decode("utf-8", errors="backslashreplace")


def payload_lines(letter: Letter) -> list[tuple[str, str]]:
    """The lines of `payload_text`, each with the reasons that are about its field; else they come under it all."""
    waiting: dict[str, list[str]] = {}
    for path, sentence in by_field(letter.detail).items():
        waiting.setdefault(at_top(path), []).append(sentence)
    lines = []
    for line in payload_text(letter).splitlines() or ["(no data)"]:
        field = line[3:].partition('":')[0] if line.startswith('  "') else ""
        lines.append((line, "; ".join(waiting.pop(field, ())) if field else ""))
    return lines + [("", sentence) for sentences in waiting.values() for sentence in sentences]


def _payload(letter: Letter) -> Iterator[Text]:
    for line, reason in payload_lines(letter):
        text = Text(line, overflow="fold")
        if reason:
            text.append(f"   <-- {reason}", style="bold red")
        yield text


def user_of(letter: Letter) -> str:
    """The user whom the event in a letter names; empty if it names none."""
    try:
        event = json.loads(letter.data)
    except NO_JSON:
        return ""
    user = event.get("user_id") if isinstance(event, dict) else None
    return user if isinstance(user, str) else ""


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
