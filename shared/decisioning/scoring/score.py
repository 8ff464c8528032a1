"""Scores that can be evaluated. The result is a number from 0 to 1, or the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from shared.decisioning.scoring.facts import Facts, Unusable

if TYPE_CHECKING:  # the models are imported with the first artifact, not at a function's start
    from shared.decisioning.scoring.logistic_artifact import Logistic
    from shared.decisioning.scoring.trees_artifact import Trees


class Scored(NamedTuple):
    """The result of a score for one user. It fails closed: either `value` or `error` is None, never both."""

    value: float | None
    """From 0 to 1; None if the score failed."""
    name: str
    version: int
    error: str | None
    """The reason for the failure. It names facts and artifacts, never the value of a fact."""

    @classmethod
    def failed(cls, name: str, version: int, reason: str) -> "Scored":
        """The result of a score that failed for that reason."""
        return cls(None, name, version, f"score {name} version {version}: {reason}")


@dataclass(frozen=True, slots=True)
class Score:
    """A score at one version. Its result depends only on the facts. Two scores of one version are equal."""

    name: str
    version: int
    features: frozenset[str]
    """The facts that it uses."""
    artifact: "Logistic | Trees" = field(compare=False, repr=False)
    formula: Callable[[Facts], float] = field(compare=False, repr=False)

    def evaluate(self, facts: Facts) -> Scored:
        """The user's result. Never raises, whatever the facts. An absent fact counts as missing, like None."""
        try:
            value = self.formula(facts)
        except Unusable as reason:
            return Scored.failed(self.name, self.version, str(reason))
        if 0 <= value <= 1:
            return Scored(value, self.name, self.version, None)
        return Scored.failed(self.name, self.version, f"expected a score from 0 to 1, found {value:.6g}")


@dataclass(frozen=True, slots=True)
class BrokenScore:
    """The placeholder of a score that cannot be used: it needs no facts and always fails for the same reason."""

    name: str
    version: int
    reason: str

    @property
    def features(self) -> frozenset[str]:
        """The empty set."""
        return frozenset()

    def evaluate(self, facts: Facts) -> Scored:  # noqa: ARG002 - the interface of `Score`
        """The failure, with its reason."""
        return Scored.failed(self.name, self.version, self.reason)
