"""The candidates of a decision as objects, read from its message by their model."""

from shared.contracts.outbound.decision import Candidate
from shared.decisioning.decide import Decision


def candidates_of(decision: Decision) -> tuple[Candidate, ...]:
    """The candidates. Each must be told as the model would write it."""
    told = [*decision.candidates]
    read = tuple(map(Candidate.model_validate, told))
    assert [candidate.model_dump(mode="json") for candidate in read] == told
    return read
