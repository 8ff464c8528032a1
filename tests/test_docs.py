"""Every command that the tutorial and the how-to pages show is run, as it stands there."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.remote import running
from infra.topology import ROOT
from tests.support import analysts
from tests.support.watching import eventually

DOCS = ROOT / "docs"
NEEDS_UP = ("mend-a-dead-letter", "publish-and-roll-back-a-catalog", "why-an-offer", "move-the-clock")
"""The how-to pages whose commands need the emulators; the last one moves their clock."""
PAUSE = 3
"""The seconds between two commands that reach the emulators, in which the functions do their work."""


def blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def run(script: str, folder: Path, **environment: str) -> str:
    """The output of commands, with this Python's `upbeat` and a folder of the test's own for /tmp."""
    script = script.replace("/tmp/", f"{folder}/").replace(". .venv/bin/activate\n", "")  # noqa: S108
    done = subprocess.run(  # noqa: S603 - the pages are ours
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def state(_emulator_sdk: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which commands find a running Upbeat."""
    folder = tmp_path_factory.mktemp("state")
    environment = {running.FOLDER_VARIABLE: str(folder)}
    command = [sys.executable, "-m", "infra", "up"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE) as up:  # noqa: S603
        try:
            assert eventually(lambda: up.poll() is not None or (folder / "up.json").exists())
            yield environment
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)


def slowly(script: str) -> str:
    """Commands at the pace of a person, for whom the functions are done before the next one."""
    return re.sub(r"^upbeat", f"sleep {PAUSE}; upbeat", script, flags=re.MULTILINE)


def test_every_page_with_commands_is_run_by_a_test() -> None:
    pages = {str(page.relative_to(DOCS)) for folder in ("", "how-to") for page in (DOCS / folder).glob("*.md")}
    shown = {page for page in pages if blocks(page)}
    assert shown == {"first-hour.md", "how-to/run-an-experiment.md", *(f"how-to/{name}.md" for name in NEEDS_UP)}


@pytest.mark.slow
def test_the_first_hour_shows_what_it_says(tmp_path: Path) -> None:
    install, activate, replayed, *looks, emulators = blocks("first-hour.md")
    assert (install, emulators.splitlines()[0]) == (
        "make demo\n",
        "upbeat trigger story:trial-to-win-back --user ada",
    ), "the demo and the emulators have tests of their own: that of the README runs this story"
    told = run(activate.replace("upbeat doctor", "upbeat doctor || true") + replayed + "".join(looks), tmp_path)
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
    "why-an-offer": ["payment.failed", "grace"],
    "move-the-clock": ["on_hold", "expired", "story:failed-payment"],
}


@pytest.mark.slow
@pytest.mark.emulator
@pytest.mark.parametrize("page", NEEDS_UP)
def test_a_task_is_done_on_the_emulators(page: str, state: dict[str, str], tmp_path: Path) -> None:
    told = run(slowly("".join(blocks(f"how-to/{page}.md"))), tmp_path, **state)
    assert [words for words in EXPECTED[page] if words not in told] == []
