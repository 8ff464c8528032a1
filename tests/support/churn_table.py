"""The table of telephone customers, in a file as analysts have it."""

import gzip
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "wa_churn.csv.gz"


def written(folder: Path) -> Path:
    """The table as CSV, in this folder."""
    file = folder / "wa_churn.csv"
    file.write_bytes(gzip.decompress(DATA.read_bytes()))
    return file
