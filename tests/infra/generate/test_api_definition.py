"""The definition of the API: it keeps to the rules of `buf`, and nothing that a client may use goes away."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.generate.protos import API, ROOT

BUF = shutil.which("buf", path=str(Path(sys.executable).parent)) or shutil.which("buf")
RELEASED = "decisions.binpb"
PROTO = f"{API.relative_to('shared/contracts/api')}/decisions.proto"

pytestmark = pytest.mark.skipif(BUF is None, reason="buf is missing: make .venv/.dev")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A copy of the folder that buf sees, to be changed."""
    return shutil.copytree(ROOT / "shared/contracts/api", tmp_path / "api", ignore=shutil.ignore_patterns("*.py*"))


def buf(*words: str, module: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BUF), *words], cwd=module, capture_output=True, text=True, check=False)  # noqa: S603


def breaking(module: Path) -> subprocess.CompletedProcess[str]:
    return buf("breaking", "--against", RELEASED, module=module)


def change(module: Path, old: str, new: str) -> None:
    text = (module / PROTO).read_text()
    assert old in text
    (module / PROTO).write_text(text.replace(old, new))


def test_the_definition_keeps_to_the_rules_and_breaks_nothing_that_was_released(module: Path) -> None:
    assert buf("lint", module=module).stdout == ""
    assert breaking(module).stdout == ""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  bool trial_used = 3;\n", "", 'Previously present field "3" with name "trial_used"'),
        ("bool is_repeat = 4;", "bool is_repeat = 7;", 'Previously present field "4"'),
        ("int64 min_sequence = 3;", "string min_sequence = 3;", "changed type"),
        ("  rpc Explain(ExplainRequest) returns (ExplainResponse);\n", "", 'Previously present RPC "Explain"'),
    ],
    ids=["a field removed", "a field renumbered", "a type changed", "a method removed"],
)
def test_what_would_break_a_client_is_refused(module: Path, old: str, new: str, sentence: str) -> None:
    change(module, old, new)
    refused = breaking(module)
    assert refused.returncode != 0
    assert sentence in refused.stdout


def test_a_field_may_be_added(module: Path) -> None:
    change(module, "  string etag = 7;\n", "  string etag = 7;\n  string reason = 99;\n")
    assert breaking(module).stdout == ""
