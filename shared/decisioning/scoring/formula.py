"""Build a score from a valid artifact."""

from collections.abc import Callable
from math import exp, isfinite

from shared.decisioning.scoring.facts import Facts, Unusable
from shared.decisioning.scoring.logistic import log_odds
from shared.decisioning.scoring.logistic_artifact import Logistic
from shared.decisioning.scoring.score import Score
from shared.decisioning.scoring.trees import sum_of_leaves
from shared.decisioning.scoring.trees_artifact import Trees


def score_of(content: Logistic | Trees) -> Score:
    """The score that a valid artifact describes."""
    features = frozenset(feature for _, feature in content.mentions)
    return Score(content.name, content.version, features, content, _formula(content))


def _formula(content: Logistic | Trees) -> Callable[[Facts], float]:
    match content:
        case Logistic():
            return _through_logistic(log_odds(content))
        case Trees(link="identity"):
            return sum_of_leaves(content)
        case Trees():
            return _through_logistic(sum_of_leaves(content))


def _through_logistic(log_odds_of: Callable[[Facts], float]) -> Callable[[Facts], float]:
    return lambda facts: _probability(log_odds_of(facts))


def _probability(log_odds: float) -> float:
    """The probability for log-odds (the logistic function). Raises `Unusable` if they are not finite."""
    if not isfinite(log_odds):
        raise Unusable(f"expected finite log-odds, found {log_odds}")
    if log_odds >= 0:  # exp of a large positive number would overflow
        return 1 / (1 + exp(-log_odds))
    odds = exp(log_odds)
    return odds / (1 + odds)
