"""HTML pages for reports: one file each, without script and network, in light and dark, from 400 pixels on."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fff; --raised: #f5f6f8; --ink: #1c2024; --quiet: #596069; --line: #d5d9de; --bar: #4c78a8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --raised: #1e2226; --ink: #e6e8ea; --quiet: #a3abb3; --line: #3a4046; --bar: #6f9bd1;
  }
}
* { box-sizing: border-box; }
body {
  font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1.5rem auto; padding: 0 1rem;
  background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
.wide { overflow-x: auto; margin: .5rem 0 1.5rem; }
table { border-collapse: collapse; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
th, td { border-bottom: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.part { padding-left: 1.2rem; color: var(--quiet); }
.bar { display: block; height: .35rem; background: var(--bar); border-radius: 2px; margin-left: auto; }
.loud { background: #b00020; color: #fff; padding: .6rem 1rem; font-weight: bold; }
.quiet { color: var(--quiet); font-size: 13px; }
svg { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, body: Iterable[str]) -> str:
    """A whole page. `body` is HTML, in which all that comes from elsewhere is escaped already."""
    content = "\n".join(body)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{content}\n</body></html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    """A heading below that of the page."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; `kind` is `loud` or `quiet`."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


class Cell(NamedTuple):
    """A cell of a table with more to it than its text."""

    text: str
    kind: str = ""
    """`number`, `part` for what is a part of the row above, or `loud`."""
    share: float | None = None
    """From 0 to 1: shown as a bar below the text."""


def table(names: Sequence[str | Cell], rows: Iterable[Sequence[str | Cell]]) -> str:
    """A table; on a narrow screen it scrolls by itself."""
    head = "".join(_cell("th", name) for name in names)
    body = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(element: str, content: str | Cell) -> str:
    cell = Cell(content) if isinstance(content, str) else content
    kind = f' class="{cell.kind}"' if cell.kind else ""
    bar = "" if cell.share is None else f'<span class="bar" style="width:{100 * cell.share:.1f}%"></span>'
    return f"<{element}{kind}>{escape(cell.text)}{bar}</{element}>"
