"""The errors of Upbeat: one root, one subclass for each outcome that a caller must tell apart."""


class UpbeatError(Exception):
    """The root of every error that Upbeat raises on purpose."""


class Rejected(UpbeatError):
    """An event that can never succeed: it goes to the dead letter, and is acknowledged.

    `reason` is a word for machines, `detail` a sentence a producer can act on. Neither holds personal data:
    no value of the event, only its place, what was expected there and what kind of thing was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Transient(UpbeatError):
    """Something that will pass (a store or a bus that does not answer): the message must come again."""


class Conflict(UpbeatError):
    """The user's document changed between load and commit: load again and compute anew."""


class InvalidCatalog(UpbeatError):
    """A catalog that cannot be used; `problems` holds one sentence for each mistake, each with its path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("invalid catalog:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems
