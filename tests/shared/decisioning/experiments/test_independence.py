"""Over 200,000 users: buckets are filled evenly, and splits are independent of each other."""

from collections import Counter
from functools import cache

from shared.decisioning.document.vocabulary import HOLDOUT_SALT_PREFIX
from shared.decisioning.experiments.bucketing import BUCKETS, Namespace, bucket, in_namespace
from tests.shared.decisioning.experiments.chi_square import are_independent, is_even

IDS = [f"user-{number:06}" for number in range(200_000)]


@cache  # computing these takes most of the time of these tests
def buckets(seed: str) -> list[float]:
    return [bucket(seed, id_) for id_ in IDS]


def tenths(seed: str) -> list[int]:
    return [int(n * 10) for n in buckets(seed)]


@cache
def namespace_halves() -> list[bool]:
    first_half = Namespace("paywall", 0, 0.5)
    return [in_namespace(id_, first_half) for id_ in IDS]


def held_out(salt: str, percent: float) -> list[bool]:
    return [n < percent / 100 for n in buckets(HOLDOUT_SALT_PREFIX + salt)]


def test_all_buckets_are_as_full_as_chance_lets_them_be() -> None:
    filled = Counter(buckets("annual_upgrade"))
    assert is_even([filled[step / BUCKETS] for step in range(BUCKETS)])


def test_a_namespace_is_halved_fairly() -> None:
    inside = sum(namespace_halves())
    assert is_even([inside, len(IDS) - inside])


def test_what_one_experiment_does_tells_nothing_of_another_however_alike_their_seeds() -> None:
    assert are_independent(zip(tenths("annual_upgrade"), tenths("annual_upgrade_2"), strict=True))


def test_being_held_out_tells_nothing_of_an_experiment_even_of_the_same_name() -> None:
    assert are_independent(zip(held_out("annual_upgrade", 10), tenths("annual_upgrade"), strict=True))


def test_a_namespace_tells_nothing_of_an_experiment_in_it() -> None:
    assert are_independent(zip(namespace_halves(), tenths("annual_upgrade"), strict=True))


def test_a_namespace_tells_nothing_of_a_holdout() -> None:
    assert are_independent(zip(namespace_halves(), held_out("annual_upgrade", 10), strict=True))


def test_an_experiment_of_the_same_seed_would_be_found_out() -> None:
    rare_twin = [n < 0.01 for n in buckets("annual_upgrade")]
    assert not are_independent(zip(rare_twin, tenths("annual_upgrade"), strict=True))
