"""Makes docs/decisions/README.md: the list of the decision records, from their titles."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs/decisions"
HEAD = """<!-- Written by `python -m infra.generate`. -->
# Decisions

Why things are as they are: one record for each decision, half a page each, in the order in which they were made. A
record is not rewritten when a later decision changes it; the later record says so.

| number | decision |
| --- | --- |
"""


def page() -> str:
    """The page as Markdown. Raises `ValueError` for a record whose title has no number."""
    return HEAD + "".join(_row(record) for record in sorted(FOLDER.glob("[0-9]*.md")))


def _row(record: Path) -> str:
    title = record.read_text(encoding="utf-8").partition("\n")[0]
    found = re.fullmatch(r"# (\d{4}): (.+)", title)
    if not found:
        raise ValueError(f"docs/decisions/{record.name}: expected a title like `# 0001: Title`, found {title!r}")
    return f"| {found[1]} | [{found[2]}]({record.name}) |\n"
