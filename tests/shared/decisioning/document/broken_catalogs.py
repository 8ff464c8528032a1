"""The catalogs in `broken/`, each with one typical mistake, and the problems that each file expects of itself."""

from itertools import takewhile
from pathlib import Path

from shared.decisioning.document.schema import CampaignTerms

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def expected(file: Path) -> list[str]:
    """The comments at the beginning of a file, with the fields of a campaign where they are listed."""
    text = file.read_text().replace("FIELDS_OF_A_CAMPAIGN", ", ".join(CampaignTerms.model_fields))
    return [line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("# "), text.splitlines())]
