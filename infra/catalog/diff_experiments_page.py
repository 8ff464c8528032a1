"""The sentences of `catalog diff` about the users of an experiment that runs."""

from collections.abc import Iterator, Sequence

from infra.catalog.diff_experiments import AssignedUsers, ExperimentEffect, NewUsers, Shares
from infra.terminal.values import percent


def sentences(effect: ExperimentEffect) -> Iterator[str]:
    """A heading with the changed terms, then a line about assigned users and one about new users."""
    yield f"The users of {effect.experiment_id}, of which {_listed(effect.changed)} changed:"
    if effect.assigned:
        yield f"  assigned: {'; '.join(_of_assigned(effect.assigned, effect.new))}."
    yield f"  {'new' if effect.assigned else 'all'}: {'; '.join(_of_new(effect.new))}."


def _of_assigned(users: AssignedUsers, new: NewUsers) -> Iterator[str]:
    groups = {
        "keep their variant": users.keep,
        "leave the experiment and get the campaign's own offer": users.leave,
        f"are assigned anew, {_anew(users, new)}": users.anew,
    }
    everybody = sum(1 for variants in groups.values() if variants) == 1
    for fate, variants in groups.items():
        if variants:
            yield f"{'all' if everybody else f'those of {_listed(variants)}'} {fate}"


def _anew(users: AssignedUsers, new: NewUsers) -> str:
    if new.after is None:
        return "by a policy, for each cause"
    return (
        f"{percent(users.anew_moved)} of them to another variant or none"
        if users.anew_moved
        else "to the variant that they had"
    )


def _of_new(users: NewUsers) -> Iterator[str]:
    before, after = _split(users.before), _split(users.after)
    yield f"{before}, as before" if before == after else f"{before} before, {after} from now on"
    for share, fate in (
        (users.moved, "get another variant than before"),
        (users.entered, "enter who were left out before"),
        (users.left, "are left out who entered before"),
    ):
        if share:
            yield f"{percent(share)} of them {fate}"


def _split(shares: Shares | None) -> str:
    if shares is None:
        return "as a policy says"
    return ", ".join(f"{variant} {percent(share)}" for variant, share in shares.items()) or "nobody"


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
