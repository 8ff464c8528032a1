"""The catalogs in `broken/`, each with one typical mistake, and the problems that each file expects of itself."""

from itertools import takewhile
from pathlib import Path

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def expected(file: Path) -> list[str]:
    """The comments at the beginning of a file."""
    lines = file.read_text().splitlines()
    return [line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("# "), lines)]
