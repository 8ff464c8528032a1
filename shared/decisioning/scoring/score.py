"""A score, ready to be asked: it answers with a number from 0 to 1, or says why there is none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from shared.decisioning.scoring.facts import Facts, Unusable

if TYPE_CHECKING:  # their models are built when the first artifact is read, and not at the start of a function
    from shared.decisioning.scoring.logistic_artifact import Logistic
    from shared.decisioning.scoring.trees_artifact import Trees


class Scored(NamedTuple):
    """What a score says of one user. It fails closed: `value` is None exactly where `error` says why."""

    value: float | None
    """From 0 to 1."""
    name: str
    version: int
    error: str | None
    """It names facts and artifacts, never the value of a fact."""

    @classmethod
    def failed(cls, name: str, version: int, reason: str) -> "Scored":
        """No score, for that reason."""
        return cls(None, name, version, f"score {name} version {version}: {reason}")


@dataclass(frozen=True, slots=True)
class Score:
    """A score at one version: what it says depends on nothing but the facts. Two of one version are the same."""

    name: str
    version: int
    features: frozenset[str]
    """The facts that it asks for; no other matters."""
    artifact: "Logistic | Trees" = field(compare=False, repr=False)
    formula: Callable[[Facts], float] = field(compare=False, repr=False)

    def evaluate(self, facts: Facts) -> Scored:
        """The score of a user; never raises, whatever the facts. One that is not there is missing, as None is."""
        try:
            value = self.formula(facts)
        except Unusable as reason:
            return Scored.failed(self.name, self.version, str(reason))
        if 0 <= value <= 1:
            return Scored(value, self.name, self.version, None)
        return Scored.failed(self.name, self.version, f"expected a score from 0 to 1, found {value:.6g}")


@dataclass(frozen=True, slots=True)
class BrokenScore:
    """What stands in for a score that cannot be used: it asks nothing, and always fails for the same reason."""

    name: str
    version: int
    reason: str

    @property
    def features(self) -> frozenset[str]:
        """None at all."""
        return frozenset()

    def evaluate(self, facts: Facts) -> Scored:  # noqa: ARG002 - the face of `Score`
        """No score, with the reason."""
        return Scored.failed(self.name, self.version, self.reason)
