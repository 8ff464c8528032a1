"""The errors of Upbeat: one root, and one subclass for each outcome that a caller must tell apart."""


class UpbeatError(Exception):
    """The root of every error that Upbeat raises on purpose."""


class Rejected(UpbeatError):
    """An event that can never succeed: it goes to the dead letter and is acknowledged.

    `reason` is a code for machines, `detail` a sentence that a producer can act on. Neither holds personal data:
    the sentence names a field, the expected value and the kind of value found, never a value of the event.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Transient(UpbeatError):
    """A failure that will pass, such as a store or a bus that does not answer: the message must be redelivered."""


class Conflict(UpbeatError):
    """The user's document changed between load and commit (optimistic concurrency): load again and recompute."""


class InvalidCatalog(UpbeatError):
    """A catalog that cannot be used; `problems` holds one sentence, with its path, for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("invalid catalog:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems
