"""Pages hold nothing on which a terminal would act, whatever a sender wrote."""

from io import StringIO

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from infra.terminal.harmless import Harmless

EVIL = "a\x1b[2Jb\x9b31mc\u202ed\x07\x00\x7fe\u2066f"


def printed(page, **settings):
    output = StringIO()
    Console(file=output, width=40, highlight=False, **settings).print(Harmless(page))
    return output.getvalue()


def table(text):
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(text, Text("next", style="bold"))
    return grid


def test_what_a_terminal_would_act_on_is_left_out_and_columns_stay_where_they_are():
    assert printed(Group(Text(EVIL), table(Text(EVIL)))) == printed(
        Group(Text("a[2Jb31mcdef"), table("a[2Jb31mcdef"))
    )


def test_the_styles_of_a_page_stay():
    told = printed(table(Text(EVIL)), force_terminal=True, color_system="standard")
    assert told.count("\x1b") == 2
    assert "\x1b[1mnext\x1b[0m" in told
    assert not {"\x9b", "\u202e", "\x07"} & set(told)


def test_words_of_other_scripts_and_markup_are_printed_as_they_are():
    text = "[bold]Ünïcödé[/bold] 日本 שלום \t🎉"
    assert printed(Text(text)) == printed(Text(text)).replace("\x1b", "")
    assert "[bold]Ünïcödé[/bold] 日本 שלום" in printed(Text(text))
