"""Hysteresis: a score that reaches one threshold raises a moment, then none until it falls below a lower one."""

from shared.decisioning.situation import Situation
from shared.domain.moments import Moment, MomentKind


def cross_thresholds(
    situation: Situation, raised: tuple[str, ...], cause: str
) -> tuple[tuple[Moment, ...], tuple[str, ...]]:
    """The moments that scores raise under this cause, and the names of all scores that are raised now.

    `raised` names the scores that were raised before. A score that fails keeps its state. All scores keep their
    state while the user has no access to lose, and while the catalog is outdated.
    """
    user = situation.user
    if situation.is_outdated or not user.subscription.entitled:
        return (), raised
    now_raised = set(raised) & situation.catalog.raising.keys()
    moments = []
    for name, rule in situation.catalog.raising.items():
        value = situation.score(name).value
        if value is None:
            continue
        if name in now_raised and value < rule.rearm_below:
            now_raised.remove(name)
        elif name not in now_raised and value >= rule.at_least:
            now_raised.add(name)
            moments.append(Moment(MomentKind(rule.moment), user.subscription.id, user.now, cause))
    return tuple(dict.fromkeys(moments)), tuple(sorted(now_raised))
