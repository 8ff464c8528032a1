import io

import pytest
from rich.console import Console

from infra.terminal.log_view import LogView


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
    LogView(Console(file=out, width=200))("payment", line)
    assert out.getvalue() == f"payment          {shown}\n"


def test_each_process_keeps_its_colour():
    out = io.StringIO()
    view = LogView(Console(file=out, force_terminal=True, color_system="standard", width=200))
    for name in ("payment", "trial_start", "payment"):
        view(name, "x")
    first, second, third = out.getvalue().splitlines()
    assert first == third
    assert first.split("payment")[0] != second.split("trial_start")[0]
