"""A decision as a tree that a support agent can read: it fits 80 columns and needs no colour."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from infra.terminal import wording
from infra.terminal.values import is_set, line
from shared.queries.explanation import HYPOTHETICAL, Decision
from shared.queries.user_view import View

TOLD_IN_THE_TREE = frozenset(
    {"campaign_id", "offer_id", "placement", "moment", "cause", "subscription_id", "outcome", "reason", "detail"}
)
STATE = ("plan", "auto_renew", "trial_ends_at", "period_end", "grace_until", "resume_at", "cancel_at")
"""Facts beside the status that are told in the user's one line, where they are known."""
STYLES = {"issued": "green", "lost": "dim"}


def page(state: View, decision: Decision, older: Sequence[Decision]) -> Group:
    """The user's state, the decision, and which other decisions there are."""
    parts: list[RenderableType] = [_state(state), Text(), _tree(decision)]
    if older:
        parts += [Text(), Text("Older decisions, newest first (--moment picks one):"), *map(_in_short, older)]
    return Group(*parts)


def _state(state: View) -> Text:
    entitled = "entitled" if state["entitled"] else "not entitled"
    facts = [f"{name} {wording.of_value(state[name])}" for name in STATE if state[name] is not None]
    return Text.assemble((state["user_id"], "bold"), f": {', '.join((state['status'], entitled, *facts))}")


def _tree(decision: Decision) -> Tree:
    tree = Tree(_title(decision), highlight=False)
    for moment in _moments(decision):
        of_moment = tree.add(Text(moment, style="bold"))
        heard = [candidate for candidate in decision["candidates"] if candidate["moment"] == moment]
        if not heard:
            of_moment.add(Text("no campaign listens to it"))
        for placement in dict.fromkeys(candidate["placement"] for candidate in heard):
            of_placement = of_moment.add(Text(f"in {placement}"))
            for candidate in heard:
                if candidate["placement"] == placement:
                    _add(of_placement, candidate)
    return tree


def _moments(decision: Decision) -> list[str]:
    """What had happened, each once; and what candidates were considered for beside that."""
    of_candidates = (candidate["moment"] for candidate in decision["candidates"])
    return [*dict.fromkeys((*decision["moments"], *of_candidates))]


def _title(decision: Decision) -> Text:
    at, version = wording.of_value(decision["decided_at"]), decision["catalog_version"]
    if decision.get(HYPOTHETICAL):
        return Text(f"Hypothetical: nothing of this happened. If it came at {at} UTC, by catalog {version}:")
    cause = decision["event"]["topic"]
    return Text(f"Decided at {at} UTC by catalog {version}, after a {cause} event:")


def _add(tree: Tree, candidate: dict[str, Any]) -> None:
    """A candidate: what became of it, the gate that stopped it, and whatever else is on record of it."""
    outcome, offer = candidate["outcome"], candidate["offer_id"] or "nothing"
    title = Text.assemble((candidate["campaign_id"], "bold"), f" ({offer}): ", (outcome, STYLES.get(outcome, "")))
    branch = tree.add(title)
    if candidate["reason"]:
        branch.add(
            Text(f"stopped by {candidate['reason']}" + (f": {candidate['detail']}" if candidate["detail"] else ""))
        )
    for name, value in candidate.items():
        if name not in TOLD_IN_THE_TREE and is_set(value) and value is not False:
            branch.add(Text(f"{name}: {line(value)}"))


def _in_short(decision: Decision) -> Text:
    at, moments = wording.of_value(decision["decided_at"]), ", ".join(decision["moments"])
    return Text(f"  {at}  {moments}: {decision['outcome']}")
