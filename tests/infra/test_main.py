"""The command line as a whole: its name, its version, its help pages and its completion."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.__main__ import GROUPS, app, command_line
from infra.topology import ROOT
from tests.infra.commands.pages import NAMES

HelpPage = Callable[..., str]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
UPBEAT = Path(sys.executable).with_name("upbeat")
COMMANDS = [
    *((name,) for name in NAMES),
    *(("catalog", name) for name in ("lint", "show", "diff", "publish", "recall", "sweep")),
    *(("dead-letters", name) for name in ("list", "show", "edit", "resend", "drop", "history")),
    *(("warehouse", name) for name in ("load", "run", "check", "cost", "docs")),
    *(("experiment", name) for name in ("report", "plan", "guard")),
    *(("model", name) for name in ("sql", "drift", "drift-sql", "bigquery-ml", "from-weights")),
    *(("policy", name) for name in ("refresh", "evaluate", "simulate")),
    *(("features", name) for name in ("export", "statement")),
]


@pytest.fixture
def help_page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> HelpPage:
    """The help page of a command on a terminal; typer's own runner has a fixed width."""

    def shown(*words: str, columns: int = 80) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        app([*words, "--help"], prog_name="upbeat", standalone_mode=False)
        return capsys.readouterr().out

    return shown


def run(*command: str | Path, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return done.stdout


def test_the_installed_command_says_its_name_and_version_from_any_folder(tmp_path: Path) -> None:
    assert run(UPBEAT, "--version", folder=tmp_path) == f"upbeat {VERSION}\n"


def test_the_installed_command_runs_the_functions_of_this_repository(tmp_path: Path) -> None:
    shown = run(UPBEAT, "package", "payment", "--out", tmp_path / "build", folder=tmp_path)
    assert shown.startswith(f"{tmp_path}/build/payment.zip  sha256 ")


def test_a_python_that_runs_the_module_says_the_same() -> None:
    assert run(sys.executable, "-m", "infra", "--version") == f"upbeat {VERSION}\n"
    assert run(sys.executable, "-m", "infra", "demo", "--help").startswith("Usage: python -m infra demo ")


def test_the_version_is_unknown_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", not_installed)
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (
        0,
        "upbeat, version unknown: not installed (make, or pip install -e ., installs it)\n",
    )


def test_help_loads_nothing_that_only_commands_need() -> None:
    code = "import sys, infra.__main__; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    loaded = set(run(sys.executable, "-c", code).split())
    assert loaded.isdisjoint({"rich", "pydantic", "orjson", "yaml", "grpc", "zipfile", "email", "hashlib"})


def test_the_list_of_commands_is_complete_and_no_summary_is_cut(help_page: HelpPage) -> None:
    page = help_page()
    listed = [line.split()[0] for line in page.partition("Commands:\n")[2].split("\n\n")[0].splitlines()]
    assert listed == [*NAMES, *GROUPS]
    assert "..." not in page.partition("Commands:")[2]
    assert "Exit codes: 0 for success, 1 for a failure, 2 for" in page
    for group in GROUPS:
        assert "..." not in help_page(group).partition("Commands:")[2], group


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_json_is_shown_as_a_flag(help_page: HelpPage, words: tuple[str, ...]) -> None:
    (line,) = (line for line in help_page(*words).splitlines() if line.lstrip().startswith("--json"))
    assert line.split(maxsplit=1) == ["--json", "Print JSON for programs, one object per line."]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_paragraphs_of_a_help_page_fill_its_width(
    help_page: HelpPage, words: tuple[str, ...], columns: int
) -> None:
    """No line ends where the first word of the next would have fitted, and none is longer than the page."""
    text = help_page(*words, columns=columns).partition("\n\n")[2].partition("\n\nArguments:")[0]
    paragraphs = [part.splitlines() for part in text.partition("\n\nOptions:")[0].split("\n\n")]
    width = min(columns, 100) - 2
    for lines in paragraphs:
        assert all(len(line) <= width for line in lines)
        if not lines[0].startswith("      "):
            for line, following in pairwise(lines):
                assert len(f"{line} {following.split()[0]}") > width


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_page_has_an_example_on_lines_of_its_own(help_page: HelpPage, words: tuple[str, ...]) -> None:
    _, _, rest = help_page(*words).partition("  For example:\n\n")
    assert rest.startswith(f"      upbeat {' '.join(words)}")


def test_help_has_no_trailing_spaces(help_page: HelpPage) -> None:
    assert all(line == line.rstrip() for words in COMMANDS for line in help_page(*words).splitlines())


def test_the_build_backend_is_pinned_and_hashed_where_it_is_used_and_is_not_deployed() -> None:
    pinned = re.compile(r"^setuptools==[\d.]+ \\\n    --hash=sha256:", re.MULTILINE)
    for group in ("local", "dev"):
        assert pinned.search((ROOT / f".ci/requirements-{group}.txt").read_text())
    assert "setuptools" not in (ROOT / "requirements.txt").read_text()


def test_shells_complete_the_commands_of_upbeat_but_not_those_of_python(help_page: HelpPage) -> None:
    assert "--install-completion" in help_page()
    assert "--show-completion" in help_page()
    module = CliRunner().invoke(command_line(completion=False), ["--help"])
    assert "completion" not in module.stdout


def test_completion_proposes_commands() -> None:
    asked = {"_UPBEAT_COMPLETE": "complete_bash", "COMP_WORDS": "upbeat re", "COMP_CWORD": "1"}
    done = subprocess.run([UPBEAT], env=asked, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.stdout.split() == ["replay", "redrive", "rebuild", "report"]


def test_make_help_lists_every_target() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    (phony,) = (line.split()[1:] for line in lines if line.startswith(".PHONY:"))
    listed = [line.split()[0] for line in run("make", "--no-print-directory", "help").splitlines()]
    assert sorted(listed) == sorted(phony)
