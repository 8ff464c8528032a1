"""A kind of event and a gate are added to a copy of the repository, by the README's table of what to touch.

Each addition is a patch in tests/additions/. If code around it has changed so that it no longer applies, make the
addition by hand in a clean checkout, and keep `git diff -U1` of it without what is generated.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.topology import ROOT

README = (ROOT / "README.md").read_text()
PATCHES = ROOT / "tests/additions"
COPIED = ("docs", "functions", "infra", "shared", "tests", "README.md", "pyproject.toml", "Makefile")
FOLDERS_LEFT_OUT = shutil.ignore_patterns("__pycache__", "build", ".terraform", "*.bin.tmp")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is missing: expected it for patches"),
]


class Copy:
    """A copy of the repository with an addition."""

    def __init__(self, folder: Path, addition: str, types: Path) -> None:
        self.folder, self.patch, self.types = folder, PATCHES / f"{addition}.patch", types
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=FOLDERS_LEFT_OUT)
            else:
                shutil.copy(source, folder / name)
        self.touched = re.findall(r"^\+\+\+ b/(.+)$", self.patch.read_text(), re.MULTILINE)
        self.run("git", "apply", "-C1", str(self.patch))

    def run(self, *command: str) -> str:
        """The output of a command in the copy, which must succeed."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, module: str, *arguments: str) -> str:
        return self.run(sys.executable, "-m", module, *arguments)

    def attempt(self, *command: str) -> "subprocess.CompletedProcess[str]":
        here, outside = str(self.folder), str(self.folder.parent)
        environment = os.environ | {"PYTHONPATH": here, "GIT_CEILING_DIRECTORIES": outside}
        return subprocess.run(  # noqa: S603 - our own commands
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    def edit(self, name: str, pattern: str, replacement: str) -> None:
        """Replace the one place that matches, and count the file as touched."""
        file = self.folder / name
        text, number = re.subn(pattern, replacement, file.read_text())
        assert number == 1, f"{name}: expected one place like {pattern}, found {number}"
        file.write_text(text)
        self.touched.append(name)

    def passes(self, *tests: str) -> None:
        """The checks of style, types and layers, of generated documents, and these tests pass."""
        self.python("ruff", "check", ".")
        self.python("ruff", "format", "--check", ".")
        self.python("mypy", "--cache-dir", str(self.types), "shared", "infra")
        self.run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
        self.python("infra.generate", "--check")
        self.python("pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow and not emulator", *tests)

    def replay(self, lines: list[dict[str, object]], *options: str) -> Path:
        """The folder with what events lead to."""
        events = self.folder / "events.jsonl"
        events.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        out = self.folder / "replayed"
        self.python("infra", "replay", str(events), "--out", str(out), "--now", "2026-03-25T00:00:00Z", *options)
        return out


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which mypy keeps the types of modules by their content: in most, the copies do not differ."""
    return tmp_path_factory.mktemp("types")


def row(thing: str) -> list[str]:
    """The paths in the README's row about adding a thing."""
    (cell,) = re.findall(rf"^\| {thing} \| (.*) \|$", README, re.MULTILINE)
    return [path for path in re.findall(r"`([\w./]+)`", cell) if "/" in path]


def check_the_row(thing: str, touched: list[str]) -> None:
    """Every place that was touched is in the row, and no other place is."""
    named = row(thing)
    lacking = [path for path in touched if not any(_covers(place, path) for place in named)]
    needless = [place for place in named if not any(_covers(place, path) for path in touched)]
    assert (lacking, needless) == ([], [])


def _covers(place: str, path: str) -> bool:
    return path.startswith(place) if place.endswith("/") else path == place


PAID = {
    "event_id": "p1",
    "user_id": "ada",
    "occurred_at": "2026-03-15T09:00:00Z",
    "outcome": "succeeded",
    "plan": "premium_monthly",
    "amount": 1099,
    "currency": "EUR",
    "period_start": "2026-03-15T09:00:00Z",
    "period_end": "2026-04-15T09:00:00Z",
}


def test_a_kind_of_event_is_added_by_following_the_table(tmp_path: Path, types: Path) -> None:
    copy = Copy(tmp_path, "event", types)
    copy.edit("infra/topology.yaml", r"(?<=\nrecord_format: )\d+", "99")
    told = copy.attempt(sys.executable, "-m", "pytest", "-q", "tests/infra/test_topology.py").stdout
    # Where the environment has CI, pytest's summary repeats the line in full.
    (pair,) = set(re.findall(r"assert (\(99, '[0-9a-f]{12}'\)) ==", told))
    copy.edit("tests/infra/test_topology.py", r"""(?<=== )\(\d+, "[0-9a-f]{12}"\)""", pair.replace("'", '"'))
    copy.python("infra.generate")
    copy.python("tests.support.stored_documents")

    check_the_row("a kind of event", copy.touched)
    copy.passes(
        "tests/infra/analytics/sql/test_topics.py",
        "tests/infra/generate",
        "tests/infra/samples",
        "tests/infra/terminal",
        "tests/infra/test_topology.py",
        "tests/shared/contracts/inbound/test_events.py",
        "tests/shared/domain/test_ring.py",
        "tests/shared/entrypoints/test_pubsub.py",
        "tests/shared/record/test_kept.py",
    )
    removed = {"event_id": "s1", "user_id": "ada", "occurred_at": "2026-03-20T09:00:00Z", "organisation": "school"}
    out = copy.replay([{"topic": "payment", "data": PAID}, {"topic": "seat-removal", "data": removed}])
    assert (out / "dead-letter.jsonl").read_text() == ""
    assert json.loads((out / "subscriptions.jsonl").read_text())["status"] == "expired"


CATALOG = """
placements: {banner: {channel: in_app}}
offers: {annual: {cms_ref: offers/annual, validity_hours: 48}}
campaigns:
  upgrade:
    {moments: [auto_renew.off], offer: annual, placement: banner, priority: 50, during_price_increase: false}
"""


def test_a_gate_is_added_by_following_the_table(tmp_path: Path, types: Path) -> None:
    copy = Copy(tmp_path, "gate", types)
    copy.python("infra.generate")

    check_the_row("a gate", copy.touched)
    copy.passes(
        "tests/infra/catalog/test_default_catalog.py",
        "tests/infra/generate",
        "tests/shared/decisioning/document",
        "tests/shared/decisioning/test_gates.py",
    )
    (tmp_path / "catalog.yaml").write_text(CATALOG)
    signals = [("price_increase_pending", "2026-03-20T09:00:00Z"), ("auto_renew_off", "2026-03-21T09:00:00Z")]
    lines = [
        {"topic": "churn-signal", "data": {"event_id": kind, "user_id": "ada", "occurred_at": at, "signal": kind}}
        for kind, at in signals
    ]
    out = copy.replay([{"topic": "payment", "data": PAID}, *lines], "--catalog", str(tmp_path / "catalog.yaml"))
    (decision,) = map(json.loads, (out / "decisions.jsonl").read_text().splitlines())
    assert [candidate["reason"] for candidate in decision["candidates"]] == ["price_increase"]
