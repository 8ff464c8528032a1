"""Progress is seen on a terminal and nowhere else."""

import io

import pytest

from infra.terminal.progress import bar, spinner


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def worked(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, stdout: io.StringIO) -> None:
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr("sys.stdout", stdout)
    with bar("replaying [red]x[/]") as progress:
        progress(0.5)
        print("a line")
    with spinner("comparing") as told:
        told("counting")


def test_a_terminal_shows_the_share_and_what_is_done_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr, stdout = Terminal(), io.StringIO()
    worked(monkeypatch, stderr, stdout)
    shown = stderr.getvalue()
    assert "replaying [red]x[/]" in shown
    assert "50%" in shown
    assert "counting" in shown
    assert stdout.getvalue() == "a line\n", "what is piped stays clean"


def test_lines_on_the_same_terminal_appear_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    worked(monkeypatch, screen, screen)
    (line,) = (line for line in screen.getvalue().splitlines() if line.endswith("a line"))
    assert line.rpartition("\x1b[2K")[2] == "a line"


@pytest.mark.parametrize("forced", [False, True])
def test_what_is_no_terminal_gets_nothing(monkeypatch: pytest.MonkeyPatch, *, forced: bool) -> None:
    if forced:
        monkeypatch.setenv("FORCE_COLOR", "1")
    stderr, stdout = io.StringIO(), io.StringIO()
    worked(monkeypatch, stderr, stdout)
    assert (stderr.getvalue(), stdout.getvalue()) == ("", "a line\n")
