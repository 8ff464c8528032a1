"""The effects of a changed catalog on assigned and on new users of the experiments that run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.catalog.diff_splits import joint_split, share_where, shares_of
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.schema import ExperimentTerms
from shared.decisioning.experiments.experiment import Experiment, Standing
from shared.domain.assignments import Assignment

REMOVED = "removed"
"""In place of changed terms: the catalog after does not have the experiment."""
TERMS = ("state", "policy", "segments", "unit", "hash_version", "coverage", "namespace")
LASTING_TERMS = ("sticky", "reassign", "bucket_version", "min_bucket_version")
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Any instant: the standing of an assignment does not depend on its time."""

Shares = Mapping[str, float]
"""The share of all users in each variant. The rest of the users are outside the experiment."""


@dataclass(frozen=True, slots=True)
class AssignedUsers:
    """The users whom the experiment has tied to their variant, by variant: what becomes of them."""

    keep: tuple[str, ...]
    """They keep the variant."""
    leave: tuple[str, ...]
    """They leave the experiment, and get the campaign's own offer."""
    anew: tuple[str, ...]
    """They are assigned anew."""
    anew_moved: float
    """The share of those assigned anew who get another variant, or none."""


@dataclass(frozen=True, slots=True)
class NewUsers:
    """The users whom the experiment has not tied to a variant, as the hash splits them."""

    before: Shares | None
    """None if a policy picks for each cause."""
    after: Shares | None
    """Empty if the experiment no longer runs."""
    moved: float
    """The share of all users whom the hash gives another variant than before. 0 if a policy picks."""
    entered: float
    """The share of all users who were outside the experiment and no longer are."""
    left: float
    """The share of all users who were in the experiment and no longer are."""


@dataclass(frozen=True, slots=True)
class ExperimentEffect:
    """The effect of a change on the users of one experiment that runs in the catalog before it."""

    experiment_id: str
    changed: tuple[str, ...]
    """The changed terms that assignment depends on, such as `weights`, `order` or `salt`; or `REMOVED`."""
    assigned: AssignedUsers | None
    """None if the catalog before ties no user to a variant: then all users count as new."""
    new: NewUsers


def experiment_effects(before: Catalog, after: Catalog) -> Iterator[ExperimentEffect]:
    """The effect on each experiment that runs before and of which a term changed that assignment depends on."""
    for id_, terms in sorted(before.document.experiments.items()):
        new = after.document.experiments.get(id_)
        changed = tuple(_changed(id_, terms, new)) if new else (REMOVED,)
        if terms.state == "running" and changed:
            runs = new if new and new.state == "running" else None
            yield _effect(Experiment.of(id_, terms), Experiment.of(id_, runs) if runs else None, changed)


def _changed(id_: str, old: ExperimentTerms, new: ExperimentTerms) -> Iterator[str]:
    """The changed terms, in the words of the catalog's documentation."""
    was, is_ = ({variant.id: variant.weight for variant in terms.variants} for terms in (old, new))
    common = was.keys() & is_.keys()
    if was.keys() != is_.keys():
        yield "arms"
    if any(was[variant] != is_[variant] for variant in common):
        yield "weights"
    if [variant for variant in was if variant in common] != [variant for variant in is_ if variant in common]:
        yield "order"
    if (old.salt or id_) != (new.salt or id_):
        yield "salt"
    yield from (name for name in (*TERMS, *LASTING_TERMS) if getattr(old, name) != getattr(new, name))


def _effect(old: Experiment, new: Experiment | None, changed: tuple[str, ...]) -> ExperimentEffect:
    is_tied = old.terms.sticky and not old.terms.policy
    return ExperimentEffect(old.id, changed, _assigned(old, new) if is_tied else None, _new(old, new))


def _assigned(old: Experiment, new: Experiment | None) -> AssignedUsers:
    fates = {variant: _standing(variant, old, new) for variant in old.variants}
    keep, leave, anew = (
        tuple(variant for variant, fate in fates.items() if fate is standing) for standing in Standing
    )
    moved = {pair: share for pair, share in joint_split(old, new).items() if pair[0] in anew}
    share = share_where(moved, lambda was, is_: was != is_) / (sum(moved.values()) or 1.0)
    return AssignedUsers(keep, leave, anew, round(share, 4))


def _standing(variant: str, old: Experiment, new: Experiment | None) -> Standing:
    """The standing of users whom the catalog before assigned to a variant. Another unit finds no assignment."""
    if new is None:
        return Standing.OUTSIDE
    standing = new.standing(Assignment(old.id, "", old.terms.bucket_version, variant, SOME_TIME))
    return standing if old.terms.unit == new.terms.unit else Standing.ANEW


def _new(old: Experiment, new: Experiment | None) -> NewUsers:
    before, after = _split(old), _split(new) if new else {}
    shares = joint_split(old, new)
    moved = share_where(shares, lambda was, is_: was is not None and is_ is not None and was != is_)
    return NewUsers(
        before,
        after,
        moved=0.0 if before is None or after is None else moved,
        entered=share_where(shares, lambda was, is_: was is None and is_ is not None),
        left=share_where(shares, lambda was, is_: was is not None and is_ is None),
    )


def _split(experiment: Experiment) -> Shares | None:
    return None if experiment.terms.policy else shares_of(experiment)
