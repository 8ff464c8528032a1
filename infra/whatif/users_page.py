"""The parts of a what-if study's page about the users of experiments, and what the history cannot show."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from infra.terminal.values import percent
from infra.whatif.result import ExperimentStudy, Split, WhatIf
from infra.whatif.unseen import FEEDBACK, NEW_MILESTONE, NO_MOMENT, SCHEDULE

UNSEEN_TEXTS = {
    NO_MOMENT: "none of its moments occurs",
    SCHEDULE: "its moments occur only before starts_at, or from ends_at on",
    FEEDBACK: "it asks for feedback, and the history has none on new triggers",
    NEW_MILESTONE: "what it waits for is new: only users who did something after the switch are woken for it",
}
NO_SWITCH = "Each catalog assigned all users from the start; --switch-at starts with those assigned by then."


def counted(count: int, thing: str) -> str:
    """A number of things."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def experiments(study: WhatIf) -> Iterator[RenderableType]:
    """Each changed experiment: the fate of assigned users, and the split of new ones."""
    changed = {id_: one for id_, one in study.experiments.items() if one.changed}
    if not changed:
        return
    yield Text("Users of experiments", style="bold")
    for id_, one in changed.items():
        yield _indented(id_)
        yield from (_indented(f"  {line}") for line in lines_of(one, with_assigned=study.switch_at is not None))
    if study.switch_at is None:
        yield _indented(NO_SWITCH)
    yield Text()


def unseen(study: WhatIf) -> Iterator[RenderableType]:
    """The campaigns that the history cannot show, with the reasons."""
    if not study.unseen:
        return
    yield Text("The history cannot show, or not in full", style="bold")
    yield from (_indented(f"{id_}: {UNSEEN_TEXTS[reason]}") for id_, reason in study.unseen.items())
    yield Text()


def lines_of(study: ExperimentStudy, *, with_assigned: bool) -> Iterator[str]:
    """The fates of the users of an experiment, line by line."""
    if with_assigned:
        yield f"assigned at the switch: {study.assigned:,}{_fates(study)}"
    after, before = (_counts(counts) for counts in (study.new_after, study.new_before))
    yield f"new in this history: {after} (before: {before})"
    yield f"split of new ones: {_split(study.split_after)} (before: {_split(study.split_before)})"


def _fates(study: ExperimentStudy) -> str:
    fates = {
        "keep their variant": study.keep,
        "move to another": study.move,
        "leave the experiment": study.leave,
        "are assigned anew, for each cause or by another unit": study.anew,
    }
    told = ", ".join(f"{count:,} {fate}" for fate, count in fates.items() if count)
    return f" ({told})" if told else ""


def _counts(counts: Mapping[str, int]) -> str:
    """The number of new users by variant."""
    return ", ".join(f"{variant} {count:,}" for variant, count in counts.items()) or "none"


def _split(split: Split | None) -> str:
    if split is None:
        return "as a policy says"
    return ", ".join(f"{variant} {percent(share)}" for variant, share in split.items()) or "not at all"


def _indented(sentence: str) -> Padding:
    return Padding(Text(sentence), (0, 0, 0, 2), expand=False)
