"""Every command that the tutorial and the how-to pages show is run, as it stands there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from infra.__main__ import app
from infra.remote import running
from infra.topology import ROOT
from tests.support import analysts
from tests.support.shell import run_script, upbeat_up

DOCS = ROOT / "docs"
NEEDS_UP = (
    "mend-a-dead-letter",
    "publish-and-roll-back-a-catalog",
    "why-an-offer",
    "export-and-erase-a-user",
    "move-the-clock",
)
"""The how-to pages whose commands need the emulators; the last one moves their clock."""
PAUSE = 3
"""The seconds between two commands that reach the emulators, in which the functions do their work."""


def blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def run(script: str, folder: Path, **environment: str) -> str:
    """The output of commands, with a folder of the test's own for /tmp."""
    return run_script(script.replace("/tmp/", f"{folder}/"), **environment)  # noqa: S108


@pytest.fixture(scope="module")
def state(_emulator_sdk: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which commands find a running Upbeat."""
    folder = tmp_path_factory.mktemp("state")
    with upbeat_up(folder):
        yield {running.FOLDER_VARIABLE: str(folder)}


def slowly(script: str) -> str:
    """Commands at the pace of a person, for whom the functions are done before the next one."""
    return re.sub(r"^upbeat", f"sleep {PAUSE}; upbeat", script, flags=re.MULTILINE)


def test_every_page_that_teaches_is_run_by_a_test() -> None:
    """Blocks of the other pages need a cloud, a warehouse or hours: their commands are looked up, below."""
    pages = {f"how-to/{page.name}" for page in (DOCS / "how-to").glob("*.md")} | {"first-hour.md"}
    assert pages == {"first-hour.md", "how-to/run-an-experiment.md", *(f"how-to/{name}.md" for name in NEEDS_UP)}
    assert [page for page in pages if not blocks(page)] == []


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """The words of every line with `upbeat` in a block of any page, up to a pipe, redirection or comment."""
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "examples/README.md"]:
        text = page.read_text().replace("\\\n", " ")
        for block in re.findall(r"^ *```(?:sh|text)?\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
            for line in re.findall(r"(?:^|&&|\$\() *(upbeat .*?)(?: #|[|<>)]|&&|\|\||$)", block, re.MULTILINE):
                if page.name != "commands.md":  # generated, and usage lines are no commands
                    yield page.name, line.split()[1:]


LINES = [*command_lines()]
NAMES = [f"{page}: {' '.join(words)[:60]}" for page, words in LINES]
LINE = get_command(app)


@pytest.mark.parametrize(
    ("page", "words"), LINES, ids=[f"{page}: {' '.join(words)[:60]}" for page, words in LINES]
)
def test_a_command_on_a_page_is_one_that_there_is(page: str, words: list[str]) -> None:
    command: Any = LINE
    while words and hasattr(command, "commands"):
        name, *words = words
        if name == "--install-completion":
            return
        assert name in command.commands, f"{page}: upbeat ... {name}"
        command = command.commands[name]
    known = {"--help", *(option for each in command.params for option in (*each.opts, *each.secondary_opts))}
    options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert [option for option in options if option not in known] == []


def test_there_are_commands_on_many_pages() -> None:
    assert len({page for page, _ in LINES}) > 10


@pytest.mark.slow
def test_the_first_hour_shows_what_it_says(tmp_path: Path) -> None:
    install, activate, replayed, *looks, emulators = blocks("first-hour.md")
    assert (install, emulators.splitlines()[0]) == (
        "make demo\n",
        "upbeat trigger story:trial-to-win-back --user ada",
    ), "the demo and the emulators have tests of their own: that of the README runs this story"
    told = run(activate + replayed + "".join(looks), tmp_path)
    assert "0 dead-lettered" in told
    assert "grace" in told
    assert "payment_recovery" in told
    assert "expected a known field" in told
    assert told.endswith("refused\n")


@pytest.mark.slow
def test_an_experiment_is_run_and_reported(tmp_path: Path) -> None:
    for module in ("duckdb", "sqlglot", "scipy"):
        pytest.importorskip(module, reason=analysts.REASON)
    told = run("".join(blocks("how-to/run-an-experiment.md")), tmp_path)
    assert "Sample ratio: as it should be (p" in told
    assert "not told from chance" in told
    assert (tmp_path / "experiment.html").exists()


EXPECTED = {
    "mend-a-dead-letter": ["amount: expected whole minor units", "active", "the shop sent euros, not cents"],
    "publish-and-roll-back-a-catalog": ["is valid", "payment_recovery"],
    "why-an-offer": ["payment.failed", "payment_recovery"],
    "export-and-erase-a-user": ["would erase zoe", "erased zoe in the emulators"],
    "move-the-clock": ["on_hold", "expired", "story:failed-payment"],
}


@pytest.mark.slow
@pytest.mark.emulator
@pytest.mark.parametrize("page", NEEDS_UP)
def test_a_task_is_done_on_the_emulators(page: str, state: dict[str, str], tmp_path: Path) -> None:
    told = run(slowly("".join(blocks(f"how-to/{page}.md"))), tmp_path, **state)
    assert [words for words in EXPECTED[page] if words not in told] == []
