"""An external sort: whatever fits into memory, the lines come out in the order of their keys."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from infra.replay import sorted_runs
from infra.replay.sorted_runs import SortedRuns, merge

keyed = st.lists(st.tuples(st.integers(0, 30).map(str), st.sampled_from(["", "x", "a\\tb"])), max_size=30)


def lines(pairs: list[tuple[str, str]]) -> list[tuple[str, bytes]]:
    return [("one.jsonl" if len(key) > 1 else "two/one.jsonl", f"{key}\t{rest}\n".encode()) for key, rest in pairs]


@given(keyed, st.integers(1, 100), st.integers(2, 5))
def test_lines_are_sorted_and_equal_ones_come_once(pairs, run_bytes, max_open):
    with TemporaryDirectory() as name, patch.object(sorted_runs, "MAX_OPEN", max_open):
        folder = Path(name)
        runs = SortedRuns(folder / "runs", run_bytes)
        for line in lines(pairs):
            runs.add([line])
        runs.write()
        for file in ("one.jsonl", "two/one.jsonl"):
            target = folder / "merged"
            merge([*folder.glob(f"runs/*/{file}")], target)
            expected = sorted({line for name, line in lines(pairs) if name == file})
            assert target.read_bytes() == b"".join(line.partition(b"\t")[2] for line in expected)
        assert not [path for path in folder.glob("runs/**/*") if path.is_file()]


def test_a_shorter_key_comes_first(tmp_path):
    runs = SortedRuns(tmp_path / "runs")
    runs.add([("f", b"1 a!\tthird\n"), ("f", b"1 a\tsecond\n"), ("f", b"1\tfirst\n")])
    runs.write()
    merge([*tmp_path.glob("runs/*/f")], tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b"first\nsecond\nthird\n"


def test_of_no_runs_the_file_is_empty(tmp_path):
    merge([], tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == b""
