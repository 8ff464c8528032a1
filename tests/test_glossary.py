"""The glossary gives the names that the code uses."""

import ast
import re
from collections.abc import Iterator

import pytest

from infra.topology import ROOT

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
ROW = re.compile(r"^\| (?P<term>[^|]+) \| (?P<meaning>[^|]+) \| (?P<code>[^|]*)\|$", re.MULTILINE)
SECTIONS = GLOSSARY.split("\n## ")[1:]
HEADINGS = ("term", "---")


def _rows(text: str) -> list[re.Match[str]]:
    return [row for row in ROW.finditer(text) if row["term"] not in HEADINGS]


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that a module or class defines, with those of its classes as `Class.name`."""
    for node in body:
        match node:
            case ast.ClassDef():
                yield node.name
                yield from (f"{node.name}.{name}" for name in _names(node.body))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_every_name_in_code_exists() -> None:
    modules = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "infra").rglob("*.py")]
    defined = {name for module in modules for name in _names(ast.parse(module.read_text()).body)}
    named = [name for row in _rows(GLOSSARY) for name in re.findall(r"`([^`]+)`", row["code"])]
    assert len(named) > 150
    assert [name for name in named if name not in defined and not ("/" in name and (ROOT / name).exists())] == []


def test_every_table_line_is_a_row() -> None:
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("|")]
    assert len(lines) == len(_rows(GLOSSARY)) + 2 * len(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.partition("\n")[0])
def test_terms_are_sorted_and_each_meaning_is_a_sentence(section: str) -> None:
    terms = [row["term"].casefold() for row in _rows(section)]
    assert terms == sorted(set(terms))
    assert [row["term"] for row in _rows(section) if not row["meaning"].endswith(".")] == []
