import io
import sys

import pytest
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.terminal.console import print_page

LONG = "one very long line of " + "many " * 60 + "words"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def page() -> Group:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row("short", LONG)
    table.add_row("much longer", "x")
    return Group(Text(), Padding(Text("Title"), (1, 0)), Padding(table, (0, 0, 1, 2)), Text("the end"))


def test_in_a_pipe_nothing_is_cut_wrapped_or_padded(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_page(page())
    assert capsys.readouterr().out == (f"\n\nTitle\n\n  short        {LONG}\n  much longer  x\n\nthe end\n")


def test_in_a_pipe_columns_may_be_set(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    print_page(page())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert all(line == line.rstrip() for line in lines)
    assert " ".join(" ".join(lines).split()).count("many") == 60


@pytest.mark.parametrize("columns", [60, 100])
def test_a_terminal_keeps_its_width(monkeypatch, columns):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    print_page(Group(Text(LONG)))
    widths = [len(line.rstrip()) for line in terminal.getvalue().splitlines()]
    assert columns - len("many ") <= max(widths) <= columns


def test_a_command_to_copy_is_not_cut_on_a_narrow_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    print_page(Group(Text(LONG, no_wrap=True, overflow="ignore")))
    assert LONG in terminal.getvalue()


def test_an_empty_page_prints_nothing_but_its_end(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_page(Text())
    assert capsys.readouterr().out == "\n"
