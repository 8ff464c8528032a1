"""Tests of the results of benchmarks, and of the command line."""

import json
from statistics import median

import pytest

from tests.bench import __main__ as bench
from tests.bench.report import Result, table, write_json

MET = Result("parts", "ours", "µs", [10, 30, 20], "theirs", [20, 30, 40], goal=0.5)
MISSED = Result("function", "ours", "µs", [1500], "floor", [1000], goal=1.2)
FOR_INFORMATION = Result("parts", "ours", "ms", [1], "theirs", [2])


def test_a_ratio_is_the_median_of_the_turns_ratios_and_not_the_ratio_of_the_medians():
    disturbed = Result("g", "w", "µs", [1, 100, 50], "b", [2, 200, 10])

    assert disturbed.ratio == 0.5 != median(disturbed.ours) / median(disturbed.baseline)


@pytest.mark.parametrize(
    ("result", "verdict"),
    [(MET, "met"), (MISSED, "missed by 25%"), (FOR_INFORMATION, "")],
    ids=["met", "missed", "for information"],
)
def test_a_verdict_says_whether_the_goal_is_met_or_by_how_much_it_is_missed(result, verdict):
    assert result.verdict == verdict


def test_the_table_names_each_group_once_and_shows_both_sides_ratio_goal_and_verdict():
    text = table([MISSED, MET, FOR_INFORMATION])

    assert [line for line in text.splitlines() if line in {"function", "parts"}] == ["function", "parts"]
    row = next(line for line in text.splitlines() if line.startswith("ours : floor"))
    assert " ".join(row.split()) == "ours : floor 1,500 1,000 µs 1.5 ≤ 1.2 missed by 25%"


def test_the_json_has_the_values_of_every_turn_and_what_they_were_measured_on(tmp_path):
    write_json(tmp_path / "bench.json", [MET, FOR_INFORMATION], quick=True)

    written = json.loads((tmp_path / "bench.json").read_text())
    first, second = written["results"]
    assert first == {
        "group": "parts",
        "what": "ours",
        "unit": "µs",
        "ours": [10, 30, 20],
        "baseline_name": "theirs",
        "baseline": [20, 30, 40],
        "goal": 0.5,
        "ratio": 0.5,
        "is_met": True,
    }
    assert second["is_met"] is None
    assert written["quick"] is True
    assert written["processors"] >= 1
    assert written["python"]


def test_only_keeps_the_order_of_the_groups():
    assert bench._groups("parts,function") == ["function", "parts"]


def test_an_unknown_group_is_refused_with_the_known_ones(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["bench", "--only", "function,nothing"])

    with pytest.raises(SystemExit):
        bench.main()

    assert "expected some of function, replay, decision" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["", "nowhere/bench.json", "."])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(said, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["bench", f"--json={said}"])

    with pytest.raises(SystemExit):
        bench.main()

    assert f"expected a file in a folder that exists, found {said!r}" in capsys.readouterr().err


def test_help_names_every_group(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["bench", "--help"])

    with pytest.raises(SystemExit):
        bench.main()

    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in bench.GROUPS)


def test_a_benchmark_that_lacks_something_is_named_and_the_others_are_measured(capsys, monkeypatch, tmp_path):
    def lacking(_quick):
        raise ModuleNotFoundError("No module named 'growthbook'")

    groups = {"decision": ("a", lacking), "parts": ("b", lambda _quick: [MET])}
    monkeypatch.setattr(bench, "GROUPS", groups)
    monkeypatch.setattr("sys.argv", ["bench", "--only", "decision,parts", "--json", str(tmp_path / "out.json")])

    with pytest.raises(SystemExit) as ended:
        bench.main()

    assert ended.value.code == "decision: not measured: No module named 'growthbook'"
    assert "met" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "out.json").read_text())["results"]) == 1
