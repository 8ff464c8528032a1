import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from infra.terminal.log_view import LogView

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words", "plain words"),
        ('{"severity": "ERROR", "message": "it [failed]"}', "it [failed]"),
        ('{"no": "message"}', '{"no": "message"}'),
        ("{not json", "{not json"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_a_line_is_shown_under_the_name_of_its_process(line, shown):
    out = io.StringIO()
    LogView(Console(file=out, width=200), now=lambda: NOON)("payment", line)
    assert out.getvalue() == f"2026-03-01 UTC\n12:00:00 payment          {shown}\n"


def test_each_process_keeps_its_colour():
    out = io.StringIO()
    view = LogView(Console(file=out, force_terminal=True, color_system="standard", width=200), now=lambda: NOON)
    for name in ("payment", "trial_start", "payment"):
        view(name, "x")
    _, first, second, third = out.getvalue().splitlines()
    assert first == third
    assert first.split("payment")[0] != second.split("trial_start")[0]
