"""Hysteresis: a score that rises brings a moment once, and not again until it has fallen well below."""

from shared.decisioning.situation import Situation
from shared.domain.moments import Moment, MomentKind


def risen(situation: Situation, raised: tuple[str, ...], cause: str) -> tuple[tuple[Moment, ...], tuple[str, ...]]:
    """The moments that risen scores bring under this cause, and the names of all scores that are up now.

    `raised` names those that were up before. A score that fails leaves things as they were; so does every score
    where the user has no access to lose.
    """
    user = situation.user
    if not user.subscription.entitled:
        return (), raised
    up = set(raised) & situation.catalog.raising.keys()
    moments = []
    for name, rule in situation.catalog.raising.items():
        value = situation.score(name).value
        if value is None:
            continue
        if name in up and value < rule.rearm_below:
            up.remove(name)
        elif name not in up and value >= rule.at_least:
            up.add(name)
            moments.append(Moment(MomentKind(rule.moment), user.subscription.id, user.now, cause))
    return tuple(dict.fromkeys(moments)), tuple(sorted(up))
