"""The site of docs/ is built with every link checked, and asks a browser for nothing from another host."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.topology import ROOT

pytest.importorskip("material", reason="MkDocs is missing: `make test-site` installs it, and runs these")
pytestmark = pytest.mark.slow
LOADED = re.compile(r"""<(?:script|img|iframe|source)[^>]+src=["']?([^"'\s>]+)|<link[^>]+href=["']?([^"'\s>]+)""")
"""The addresses that a browser loads for a page."""


def build(root: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "mkdocs", "build", "-f", str(root / ".ci/mkdocs.yml"), "-d", str(out)],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_there(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")}
    named = {page.with_name("index.md") if page.name == "README.md" else page for page in pages}
    assert [page for page in named if not (site / page.with_suffix(".html")).exists()] == []
    assert [page for page in ("readme", "examples", "changelog") if not (site / f"{page}.html").exists()] == []


def test_a_browser_loads_nothing_from_another_host(site: Path) -> None:
    loaded = {
        url for page in site.rglob("*.html") for pair in LOADED.findall(page.read_text()) for url in pair if url
    }
    assert any(url.endswith(".js") for url in loaded)
    assert [url for url in loaded if "//" in url] == []
    assert [sheet for sheet in site.rglob("*.css") if "url(http" in sheet.read_text()] == []


def test_a_page_can_be_found_by_its_words(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text())
    found = {page["location"].partition("#")[0] for page in index["docs"] if "dead letter" in page["text"].lower()}
    assert {"how-to/mend-a-dead-letter.html", "operations.html"} <= found


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("[x](no-such-page.md)", "expected a link to a file of the repository, found no-such-page.md"),
        ("[x](../shared/no_such_module.py)", "expected a link to a file of the repository"),
        ("[x](glossary.md#no-such-part)", "no-such-part"),
    ],
)
def test_a_broken_link_stops_the_build(link: str, told: str, tmp_path: Path) -> None:
    for name in (".ci", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "CHANGELOG.md", "examples", "functions", "infra", "shared", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    with (tmp_path / "docs/index.md").open("a") as page:
        page.write(f"\n{link}\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert told in done.stderr + done.stdout
