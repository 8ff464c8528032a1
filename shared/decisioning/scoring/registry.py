"""All scores by name and version, each read when it is first asked for."""

from collections.abc import Callable, Collection

from shared.decisioning.scoring.score import BrokenScore, Score

Read = Callable[[str, int], bytes | None]
"""The artifact of a name and version; None where there is none."""


class Registry:
    """Reads and checks each score once, and remembers also that one cannot be used.

    An artifact never changes: new coefficients are a new version. So nothing is ever read again, and what was not
    there when first asked for is missing for as long as the registry lives.
    """

    def __init__(self, read: Read, facts: Collection[str] | None = None) -> None:
        self._read = read
        self._facts = facts
        self._scores: dict[tuple[str, int], Score | BrokenScore] = {}

    def get(self, name: str, version: int) -> Score | BrokenScore:
        """The score, or what stands in for it. Raises what `read` raises, and then asks again the next time."""
        score = self._scores.get((name, version))
        if score is None:
            score = self._scores[name, version] = self._load(name, version)
        return score

    def _load(self, name: str, version: int) -> Score | BrokenScore:
        # Only where a catalog has a score: the models of artifacts would lengthen every function's start.
        from shared.decisioning.scoring.load import InvalidScore, load_score  # noqa: PLC0415

        data = self._read(name, version)
        if data is None:
            return BrokenScore(name, version, "no such artifact")
        try:
            score = load_score(data, self._facts)
        except InvalidScore as error:
            return BrokenScore(name, version, f"invalid artifact ({'; '.join(error.problems[:3])})")
        if (score.name, score.version) != (name, version):
            found = f"{score.name} version {score.version}"
            return BrokenScore(name, version, f"expected an artifact that says so itself, found {found}")
        return score
