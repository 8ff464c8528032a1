"""The users of experiments in a what-if study: those assigned before the switch, and those who are new."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from infra.catalog.diff_splits import shares_of
from infra.whatif.comparison import ExperimentUsers
from infra.whatif.result import ExperimentStudy, Split
from infra.whatif.side import Side, Unit
from shared.decisioning.catalog import Catalog
from shared.decisioning.experiments.experiment import Experiment, Standing
from shared.domain.assignments import Assignment

Assignments = Mapping[Unit, Assignment]
NOBODY = ExperimentUsers({}, {}, {})


class _Fate(StrEnum):
    """The fate of an assigned user in the catalog after."""

    KEEP = "keep"
    MOVE = "move"
    LEAVE = "leave"
    ANEW = "anew"


def experiment_users(
    before: Side, after: Side, switch_at: datetime | None
) -> Iterator[tuple[str, ExperimentUsers]]:
    """The users of each experiment that has any. Without a switch nobody is assigned before it.

    The catalog before moves no assigned user. So of the users whom it assigned in the whole history, those with an
    earlier assignment than the switch are the ones who were assigned then.
    """
    assigned = {unit: one for unit, one in before.assignments.items() if switch_at and one.at < switch_at}
    new_before, new_after = (
        {unit: one for unit, one in replay.assignments.items() if unit not in assigned}
        for replay in (before, after)
    )
    for id_ in {unit.experiment_id for unit in (*assigned, *new_before, *new_after)}:
        new = _running(id_, after.catalog)
        fates = Counter(_fate(unit, one, new).value for unit, one in assigned.items() if unit.experiment_id == id_)
        yield id_, ExperimentUsers(fates, _counts(id_, new_before), _counts(id_, new_after))


def experiment_studies(
    before: Catalog, after: Catalog, users: Mapping[str, ExperimentUsers]
) -> Iterator[tuple[str, ExperimentStudy]]:
    """The study of each experiment that runs in either catalog."""
    for id_ in sorted({*before.document.experiments, *after.document.experiments}):
        old, new = _running(id_, before), _running(id_, after)
        if old or new:
            fates, new_before, new_after = users.get(id_, NOBODY)
            yield (
                id_,
                ExperimentStudy(
                    changed=not (old and new and old.terms == new.terms),
                    assigned=sum(fates.values()),
                    **{fate.value: fates.get(fate, 0) for fate in _Fate},
                    new_before=dict(sorted(new_before.items())),
                    new_after=dict(sorted(new_after.items())),
                    split_before=_split(old),
                    split_after=_split(new),
                ),
            )


def _running(id_: str, catalog: Catalog) -> Experiment | None:
    terms = catalog.document.experiments.get(id_)
    return Experiment.of(id_, terms) if terms and terms.state == "running" else None


def _fate(unit: Unit, assigned: Assignment, new: Experiment | None) -> _Fate:
    """The fate of one assigned user or subscription, whether the history tells more of it or not."""
    if new is None:
        return _Fate.LEAVE
    if bool(unit.unit) != (new.terms.unit == "subscription"):
        return _Fate.ANEW
    match new.standing(assigned):
        case Standing.KEPT:
            return _Fate.KEEP
        case Standing.OUTSIDE:
            return _Fate.LEAVE
        case Standing.ANEW:
            return _hashed(unit, assigned, new)


def _hashed(unit: Unit, assigned: Assignment, new: Experiment) -> _Fate:
    index = new.index(unit.user_id, unit.unit)
    if index is None:
        return _Fate.LEAVE
    if new.terms.policy:
        return _Fate.ANEW
    return _Fate.KEEP if new.terms.variants[index].id == assigned.variant else _Fate.MOVE


def _counts(id_: str, assignments: Assignments) -> dict[str, int]:
    """The number of new users by variant."""
    return Counter(one.variant for one in assignments.values() if one.experiment_id == id_)


def _split(experiment: Experiment | None) -> Split | None:
    """The split of new users by the hash; None if a policy picks for each cause."""
    if experiment is None:
        return {}
    return None if experiment.terms.policy else shares_of(experiment)
