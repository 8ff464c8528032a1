"""The blocks of docs/api.md up to those for gRPC, and the catalog that it is about."""

import re

import yaml

from infra.catalog.load import DEFAULT_CATALOG
from infra.topology import ROOT
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog

PAGE = (ROOT / "docs" / "api.md").read_text().partition("## Over gRPC\n")[0]


def blocks(language: str) -> list[str]:
    """The code blocks of the page in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def catalog() -> Catalog:
    """The shipped catalog with the campaign of the page."""
    document = yaml.safe_load(DEFAULT_CATALOG.read_text())
    (shown,) = [yaml.safe_load(block) for block in blocks("yaml")]
    document["campaigns"] |= shown["campaigns"]
    return compile_catalog(document)
