"""Hooks of MkDocs: pages from outside docs/, and links that leave docs/.

The README, the examples and the changelog are pages of the site, too. A link to another file of the repository,
which the site does not have, becomes the name of the file. A link to a file that does not exist is an error.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"README.md": "readme.md", "examples/README.md": "examples.md", "CHANGELOG.md": "changelog.md"}
"""The pages from outside docs/, by their paths in the repository: the path in the site."""
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/."""
    for source, place in PAGES.items():
        files.append(File.generated(config, place, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with its links as the site needs them."""
    place = page.file.src_uri
    outside = {site: source for source, site in PAGES.items()}
    source = outside.get(place, f"docs/{place}")
    parts = _FENCE.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(_linked(source, place), part) for part in parts)


def _linked(source: str, place: str) -> Any:
    """Replaces the links of a page of the repository, which has this place in the site."""

    def link(found: re.Match[str]) -> str:
        text, (target, mark, anchor) = found["text"], found["target"].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if not (ROOT / path).exists():
            raise PluginError(f"{source}: expected a link to a file of the repository, found {found['target']}")
        on_site = PAGES.get(path) or _in_docs(path)
        if on_site is None:
            return text if path in text else f"{text} (`{path}`)"
        return f"[{text}]({posixpath.relpath(on_site, posixpath.dirname(place) or '.')}{mark}{anchor})"

    return link


def _in_docs(path: str) -> str | None:
    """The place in the site of a path of the repository; of a folder, its index. None if the site has none."""
    if not path.startswith("docs/"):
        return None
    if not (ROOT / path).is_dir():
        return path.removeprefix("docs/")
    index = Path(path) / "README.md"
    return str(index).removeprefix("docs/") if (ROOT / index).exists() else None
