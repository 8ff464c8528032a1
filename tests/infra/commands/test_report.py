"""`upbeat report campaigns`: the funnels of a raw log, whole or torn, with and without analysts' packages."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from infra import analytics
from infra.raw.line import Landed, to_line
from infra.remote import running
from tests.infra.commands.pages import NARROW

Run = Callable[..., Result]
MARKUP = "<img src=x onerror=alert(1)>[red]"
WON = {"campaign_id": "upgrade", "outcome": "issued", "reason": None}
LOST = {"campaign_id": "upgrade", "outcome": "lost", "reason": "cap"}
IN_ARM = WON | {"experiment_id": "gift", "variant": "plain"}


def line(topic: str, number: int, body: Any) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return to_line(Landed(f"{topic}-landing", str(number), datetime(2026, 3, 1, tzinfo=UTC), {}, data))


def decided(number: int, *candidates: dict[str, Any]) -> bytes:
    return line("decision", number, {"message_id": f"d{number}", "candidates": candidates})


def log(folder: Path, **files: list[bytes]) -> Path:
    """A folder with a raw log; a topic has underscores here."""
    (folder / "raw").mkdir(parents=True)
    for topic, lines in files.items():
        (folder / "raw" / f"{topic.replace('_', '-')}.jsonl").write_bytes(b"".join(lines))
    return folder


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics, "_is_installed", lambda _module: False)


def test_each_campaign_has_its_funnel_and_a_redelivery_counts_once(run: Run, tmp_path: Path) -> None:
    folder = log(tmp_path / "out", decision=[decided(1, WON, LOST), decided(2, LOST), decided(2, LOST)])
    done = run("report", "campaigns", str(folder), env=NARROW)
    assert (done.exit_code, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    assert text.startswith(f"Campaigns in {folder}: 3 messages")
    assert "considered 3 lost 2 (67%) cap 2 (67%)" in text
    assert "Lift" not in text


def test_json_is_one_clean_line(run: Run, tmp_path: Path) -> None:
    folder = log(tmp_path / "out", decision=[decided(1, WON, LOST), b"torn"])
    done = run("report", "campaigns", str(folder), "--json")
    facts = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert facts["campaigns"][0]["counts"]["lost"] == {"cap": 1}
    assert (facts["messages"], facts["unreadable"], facts["malformed"], facts["lifts"]) == (1, 1, 0, None)


@pytest.mark.usefixtures("without_packages")
def test_without_packages_the_funnel_is_told_and_how_to_get_lifts(run: Run, tmp_path: Path) -> None:
    folder = log(tmp_path / "out", decision=[decided(1, IN_ARM)])
    page = tmp_path / "page.html"
    done = run("report", "campaigns", str(folder), "--html", str(page))
    assert done.exit_code == 0
    (told,) = (line for line in done.stdout.splitlines() if "make .venv/.analytics" in line)
    assert told.startswith("Lifts are left out: ")
    assert "upgrade, in experiment gift" in done.stdout
    assert "make .venv/.analytics" in page.read_text()
    assert "Lifts" not in run("report", "campaigns", str(folder), "--no-lift").stdout


def test_what_is_no_message_is_skipped_and_told(run: Run, tmp_path: Path) -> None:
    folder = log(
        tmp_path / "out",
        decision=[
            decided(1, WON),
            b"garbage\n" * 30,
            line("decision", 2, b"\xff"),
            line("decision", 3, [1]),
            decided(4, WON)[:40],
        ],
    )
    done = run("report", "campaigns", str(folder))
    assert done.exit_code == 0
    assert "considered        1\n" in done.stdout
    told = done.stderr.splitlines()
    assert told[0].startswith(f"skipped {folder}/raw/decision.jsonl: line 2: expected a JSON object")
    assert told[-2:] == [
        "skipped 21 more lines",
        "skipped 2 messages that are not as the contracts describe them",
    ]


def test_an_empty_log_is_a_sentence(run: Run, tmp_path: Path) -> None:
    done = run("report", "campaigns", str(log(tmp_path / "out", decision=[], exposure=[])))
    assert done.exit_code == 0
    assert "No campaign was considered" in done.stdout


@pytest.mark.parametrize("make", [lambda _: None, Path.mkdir, Path.touch], ids=["nothing", "a folder", "a file"])
def test_what_is_no_log_is_named(run: Run, tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = tmp_path / "other"
    make(folder)
    done = run("report", "campaigns", str(folder))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {folder}: expected a raw log (raw/TOPIC.jsonl")


def test_the_log_of_the_emulators_is_read_where_no_folder_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(log(tmp_path / "up", decision=[decided(1, WON)])))
    assert "upgrade" in run("report", "campaigns").stdout


def test_markup_in_a_log_is_text(run: Run, tmp_path: Path) -> None:
    lost = {"campaign_id": MARKUP, "outcome": "lost", "reason": MARKUP}
    folder, page = log(tmp_path / "out", decision=[decided(1, lost)]), tmp_path / "page.html"
    done = run("report", "campaigns", str(folder), "--html", str(page))
    assert done.stdout.count(MARKUP) == 3
    assert "<img" not in page.read_text()
    assert page.read_text().count("&lt;img") == 3


def test_a_page_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    folder = log(tmp_path / "out", decision=[decided(1, WON)])
    done = run("report", "campaigns", str(folder), "--html", str(tmp_path / "none" / "page.html"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "expected a folder to write into" in done.stderr
