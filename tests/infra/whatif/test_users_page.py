"""The page of a what-if study about users of experiments, and what the history cannot show."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from infra.whatif.page import page
from infra.whatif.result import BeforeAfter, ExperimentStudy, WhatIf
from infra.whatif.unseen import FEEDBACK, NO_MOMENT

NONE = BeforeAfter(0, 0)
SWITCH = datetime(2026, 1, 15, tzinfo=UTC)


def price(**facts: Any) -> ExperimentStudy:
    counts = {"assigned": 120, "keep": 100, "move": 0, "leave": 20, "anew": 0}
    new = {"new_before": {"a": 19, "b": 18}, "new_after": {"a": 33, "b": 4}}
    split = {"split_before": {"a": 0.5, "b": 0.5}, "split_after": {"a": 0.9, "b": 0.1}}
    return ExperimentStudy(**{"changed": True, **counts, **new, **split, **facts})


def told(switch_at: datetime | None = SWITCH, unseen: dict[str, str] | None = None, **experiments: Any) -> str:
    study = WhatIf(NONE, NONE, NONE, NONE, {}, {}, switch_at, experiments, unseen or {})
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(page(study))
    return " ".join(captured.get().split())


def test_assigned_and_new_users_of_a_changed_experiment_are_told() -> None:
    text = told(price=price())
    assert "price assigned at the switch: 120 (100 keep their variant, 20 leave the experiment)" in text
    assert "new in this history: a 33, b 4 (before: a 19, b 18)" in text
    assert "split of new ones: a 90%, b 10% (before: a 50%, b 50%)" in text
    assert "--switch-at" not in text


def test_without_a_switch_nobody_is_assigned_and_the_option_is_named() -> None:
    text = told(None, price=price())
    assert "assigned at the switch" not in text
    assert "--switch-at starts with those assigned by then" in text


def test_a_policy_an_end_and_no_users_are_told_in_words() -> None:
    assert "split of new ones: as a policy says" in told(price=price(split_after=None))
    ended = told(price=price(split_after={}, new_after={}))
    assert "new in this history: none (before: a 19, b 18) split of new ones: not at all" in ended


def test_an_unchanged_experiment_is_not_told() -> None:
    assert "Users of experiments" not in told(price=price(changed=False))


def test_what_the_history_cannot_show_is_told_with_the_reason() -> None:
    text = told(unseen={"sale": NO_MOMENT, "win_back": FEEDBACK})
    assert "The history cannot show, or not in full sale: none of its moments occurs" in text
    assert "win_back: it asks for feedback, and the history has none on new triggers" in text
