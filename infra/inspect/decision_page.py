"""The page of `explain`: a decision as a tree. It fits 80 columns and is readable without colour."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from infra.inspect import withheld
from infra.inspect.candidate_lines import lines
from infra.terminal import wording
from shared.decisioning.catalog import Catalog
from shared.queries.explanation import HYPOTHETICAL, UNTRUE, Decision
from shared.queries.user_view import View

STATE = ("plan", "auto_renew", "trial_ends_at", "period_end", "grace_until", "resume_at", "cancel_at")
"""Facts that follow the status in the line about the user, if they are known."""
LISTED = 20
"""The older decisions that are listed."""
STYLES = {"issued": "green", "lost": "dim"}
"""The style of an outcome; other outcomes have none."""


def page(state: View, decision: Decision, older: Sequence[Decision], catalog: Catalog | None = None) -> Group:
    """The user's state, the decision, and one line for each older decision.

    `catalog` is the one of the decision's version; without it, clauses are told by their names.
    """
    parts: list[RenderableType] = [_state(state), Text(), _tree(decision, catalog)]
    if missing := decision.get("features_missing"):
        parts += [Text(), Text(f"Decided without some features: {'; '.join(missing)}")]
    if older:
        parts += [
            Text(),
            Text("Older decisions, newest first (--moment picks one):"),
            *map(_short, older[:LISTED]),
        ]
    if len(older) > LISTED:
        parts.append(Text(f"  and {len(older) - LISTED:,} before them (--now goes back to them)"))
    return Group(*parts)


def _state(state: View) -> Text:
    entitled = "entitled" if state["entitled"] else "not entitled"
    facts = [f"{name} {wording.of_value(state[name])}" for name in STATE if state[name] is not None]
    return Text.assemble((state["user_id"], "bold"), f": {', '.join((state['status'], entitled, *facts))}")


def _tree(decision: Decision, catalog: Catalog | None) -> Tree:
    tree = Tree(_title(decision), highlight=False)
    for moment in _moments(decision):
        moment_branch = tree.add(Text(moment, style="bold"))
        candidates = [one for one in decision["candidates"] if wording.of_moment(one) == moment]
        if not candidates:
            moment_branch.add(Text("no campaign listens to it"))
        for placement in dict.fromkeys(candidate["placement"] for candidate in candidates):
            placement_branch = moment_branch.add(Text(f"in {placement}"))
            for candidate in candidates:
                if candidate["placement"] == placement:
                    branch = placement_branch.add(_outcome(candidate))
                    for line in lines(decision, candidate, catalog):
                        branch.add(Text(line))
    return tree


def _moments(decision: Decision) -> list[str]:
    """The moments of the candidates, followed by those that no campaign listens to; each once."""
    of_candidates = [wording.of_moment(candidate) for candidate in decision["candidates"]]
    heard = {candidate["moment"] for candidate in decision["candidates"]}
    return [*dict.fromkeys((*of_candidates, *(kind for kind in decision["moments"] if kind not in heard)))]


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


def _outcome(candidate: Decision) -> Text:
    """The campaign with its offer, and the outcome with the reason's code."""
    offer, outcome = candidate["offer_id"] or withheld.NOTHING, candidate["outcome"]
    if withheld.is_withheld(candidate):
        told = withheld.in_words(withheld.reason_of(candidate))
    else:
        told = f"{outcome} ({candidate['reason']})" if candidate["reason"] else outcome
    return Text.assemble((candidate["campaign_id"], "bold"), f" ({offer}): ", (told, STYLES.get(outcome, "")))


def _short(decision: Decision) -> Text:
    at, moments = wording.of_value(decision["decided_at"]), ", ".join(_moments(decision))
    return Text(f"  {at}  {moments}: {decision['outcome']}")
