"""The split of all users by an experiment before and after a change of its terms, computed from the hash."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from shared.decisioning.experiments.bucketing import BUCKETS, Namespace, choose
from shared.decisioning.experiments.experiment import Experiment

VariantChange = tuple[str | None, str | None]
"""The variant before and the one after; None: outside the experiment."""
JointSplit = Mapping[VariantChange, float]
"""The share of all users with each variant before and after. The shares add up to 1."""
PICKED = ""
"""In place of a variant: a policy picks one for each cause."""
EVERYBODY = Namespace("", 0.0, 1.0)


def joint_split(old: Experiment, new: Experiment | None) -> JointSplit:
    """The shares of users by what the hash gives them before and after. `new` is None if none runs then."""
    shares: defaultdict[VariantChange, float] = defaultdict(float)
    was_in, is_in, both_in = _entrants(old, new)
    for pair, share in _joint_hash(old, new):
        shares[pair] += share * both_in
        shares[pair[0], None] += share * (was_in - both_in)
        shares[None, pair[1]] += share * (is_in - both_in)
        shares[None, None] += share * (1 - was_in - is_in + both_in)
    return shares


def share_where(shares: JointSplit, condition: Callable[[str | None, str | None], bool]) -> float:
    """The sum of the shares of which the condition is true, to a hundredth of a percent."""
    return round(sum(share for pair, share in shares.items() if condition(*pair)), 4)


def shares_of(experiment: Experiment) -> dict[str, float]:
    """The share of all users in each variant, in the order of the variants."""
    shares = joint_split(experiment, None)
    return {variant: round(shares.get((variant, None), 0.0), 4) for variant in experiment.variants}


def _entrants(old: Experiment, new: Experiment | None) -> tuple[float, float, float]:
    """The share of users in the namespace range before, in the one after, and in both."""
    first, second = old.namespace or EVERYBODY, (new.namespace if new else None) or EVERYBODY
    lengths = first.end - first.start, second.end - second.start
    if first.id == second.id:
        both = max(0.0, min(first.end, second.end) - max(first.start, second.start))
    else:
        both = lengths[0] * lengths[1]  # the hashes of two namespaces are independent
    return *lengths, both


def _joint_hash(old: Experiment, new: Experiment | None) -> Iterator[tuple[VariantChange, float]]:
    """The shares of those who are in both ranges of the namespace. Two seeds are independent of each other."""
    was, is_ = _by_bucket(old), _by_bucket(new)
    if new is None or _seed(old) == _seed(new):
        pairs = Counter(zip(was, is_, strict=True))
        yield from ((pair, count / BUCKETS) for pair, count in pairs.items())
        return
    for (first, one), (second, other) in product(Counter(was).items(), Counter(is_).items()):
        yield (first, second), one * other / BUCKETS**2


def _seed(experiment: Experiment) -> tuple[str, int, str]:
    return experiment.salt, experiment.terms.hash_version, experiment.terms.unit


def _by_bucket(experiment: Experiment | None) -> list[str | None]:
    """The variant of each bucket. The fewer buckets of hash version 1 are among those of version 2."""
    if experiment is None:
        return [None] * BUCKETS
    names = [PICKED] if experiment.terms.policy else [*experiment.variants]
    step = 1 if experiment.terms.hash_version == 2 else BUCKETS // 1000
    indexes = (choose(n // step * step / BUCKETS, experiment.ranges) for n in range(BUCKETS))
    return [None if index is None else names[index] for index in indexes]
