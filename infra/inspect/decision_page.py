"""The page of `explain`: a decision as a tree. It fits 80 columns and is readable without colour."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from infra.inspect import withheld
from infra.terminal import wording
from infra.terminal.values import is_set, line
from shared.queries.explanation import HYPOTHETICAL, UNTRUE, Decision
from shared.queries.user_view import View

SHOWN_IN_THE_TREE = frozenset(
    {"campaign_id", "offer_id", "placement", "moment", "cause", "subscription_id", "outcome", "reason", "detail"}
)
"""Fields of a candidate that get no line of their own: the tree shows them or what they stand for."""
STATE = ("plan", "auto_renew", "trial_ends_at", "period_end", "grace_until", "resume_at", "cancel_at")
"""Facts that follow the status in the line about the user, if they are known."""
STYLES = {"issued": "green", "lost": "dim"}
"""The style of an outcome; other outcomes have none."""


def page(state: View, decision: Decision, older: Sequence[Decision]) -> Group:
    """The user's state, the decision, and one line for each older decision."""
    parts: list[RenderableType] = [_state(state), Text(), _tree(decision)]
    if missing := decision.get("features_missing"):
        parts += [Text(), Text(f"Decided without some features: {'; '.join(missing)}")]
    if older:
        parts += [Text(), Text("Older decisions, newest first (--moment picks one):"), *map(_short, older)]
    return Group(*parts)


def _state(state: View) -> Text:
    entitled = "entitled" if state["entitled"] else "not entitled"
    facts = [f"{name} {wording.of_value(state[name])}" for name in STATE if state[name] is not None]
    return Text.assemble((state["user_id"], "bold"), f": {', '.join((state['status'], entitled, *facts))}")


def _tree(decision: Decision) -> Tree:
    tree = Tree(_title(decision), highlight=False)
    for moment in _moments(decision):
        moment_branch = tree.add(Text(moment, style="bold"))
        candidates = [candidate for candidate in decision["candidates"] if candidate["moment"] == moment]
        if not candidates:
            moment_branch.add(Text("no campaign listens to it"))
        for placement in dict.fromkeys(candidate["placement"] for candidate in candidates):
            placement_branch = moment_branch.add(Text(f"in {placement}"))
            for candidate in candidates:
                if candidate["placement"] == placement:
                    _add(placement_branch, candidate)
    return tree


def _moments(decision: Decision) -> list[str]:
    """The decision's moments without repetition, followed by moments that only its candidates name."""
    of_candidates = (candidate["moment"] for candidate in decision["candidates"])
    return [*dict.fromkeys((*decision["moments"], *of_candidates))]


def _title(decision: Decision) -> Text:
    at, version = wording.of_value(decision["decided_at"]), decision["catalog_version"]
    if decision.get(HYPOTHETICAL):
        title = f"Hypothetical: none of this happened. If it occurred at {at} UTC, by catalog {version}:"
        untrue = (
            decision[UNTRUE] and f"It would be stale if it came now: {decision[UNTRUE]}. If it did not matter:"
        )
        return Text("\n".join(filter(None, (title, untrue))))
    cause = decision["event"]["topic"]
    return Text(f"Decided at {at} UTC by catalog {version}, after a {cause} event:")


def _add(tree: Tree, candidate: dict[str, Any]) -> None:
    """Add a candidate: its outcome, the gate that stopped it, and every other field on record."""
    is_withheld, offer = withheld.is_withheld(candidate), candidate["offer_id"] or "nothing"
    outcome = withheld.in_words(withheld.reason_of(candidate)) if is_withheld else candidate["outcome"]
    title = Text.assemble((candidate["campaign_id"], "bold"), f" ({offer}): ", (outcome, STYLES.get(outcome, "")))
    branch = tree.add(title)
    if candidate["reason"] and not is_withheld:
        branch.add(
            Text(f"stopped by {candidate['reason']}" + (f": {candidate['detail']}" if candidate["detail"] else ""))
        )
    for name, value in candidate.items():
        if name not in SHOWN_IN_THE_TREE and is_set(value) and value is not False:
            branch.add(Text(f"{name}: {line(value)}"))


def _short(decision: Decision) -> Text:
    at, moments = wording.of_value(decision["decided_at"]), ", ".join(decision["moments"])
    return Text(f"  {at}  {moments}: {decision['outcome']}")
