"""The verdict on one law."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Verdict:
    """The verdict on one law."""

    law: str
    checked: int = 0
    broken: list[str] = field(default_factory=list)
    """Evidence: the user, the cause and the ids of messages."""

    def expect(self, holds: object, evidence: str) -> None:
        """Check one thing."""
        self.checked += 1
        if not holds:
            self.broken.append(evidence)
