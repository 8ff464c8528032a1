"""A cache of scores by name and version. Each one is read on first use."""

from collections.abc import Callable, Collection

from shared.decisioning.scoring.score import BrokenScore, Score

Read = Callable[[str, int], bytes | None]
"""A function that reads the artifact of a name and version; None if there is none."""


class Registry:
    """Reads and checks each score once, and caches failures too.

    An artifact never changes, because new coefficients are a new version. So no artifact is read twice, and one
    that was missing on first use stays missing for the lifetime of the registry.
    """

    def __init__(self, read: Read, facts: Collection[str] | None = None) -> None:
        self._read = read
        self._facts = facts
        self._scores: dict[tuple[str, int], Score | BrokenScore] = {}

    def get(self, name: str, version: int) -> Score | BrokenScore:
        """The score, or a `BrokenScore`. Errors of `read` are raised and not cached: the next call reads again."""
        score = self._scores.get((name, version))
        if score is None:
            score = self._scores[name, version] = self._load(name, version)
        return score

    def _load(self, name: str, version: int) -> Score | BrokenScore:
        # Imported only if a catalog uses a score: the models of artifacts would lengthen every cold start.
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
