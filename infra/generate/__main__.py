"""Writes every generated document, or with `--check` lists those that differ: `python -m infra.generate`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import typer
import yaml

from infra.__main__ import command_line
from infra.generate import asyncapi, commands_page, decisions_page, message_pages, settings_page

ROOT = Path(__file__).parents[2]
SCHEMA = ".schema.json"
CONTRACTS = "docs/contracts"


def documents() -> dict[str, str]:
    """The text of every generated document, by its path in the repository."""
    contracts = asyncapi.documents()
    schemas = {
        name.removesuffix(SCHEMA): json.loads(text) for name, text in contracts.items() if name.endswith(SCHEMA)
    }
    pages = message_pages.pages(yaml.safe_load(contracts["asyncapi.yaml"]), schemas)
    line = typer.main.get_command(command_line(completion=False))
    return {
        **{f"{CONTRACTS}/{name}": text for name, text in {**contracts, **pages}.items()},
        "docs/settings.md": settings_page.page(),
        "docs/commands.md": commands_page.page(line),
        "docs/decisions/README.md": decisions_page.page(),
    }


def drift(written: Mapping[str, str]) -> list[str]:
    """The paths of the documents that are missing or differ, and of contracts' documents that have no model."""
    wrong = {path for path, text in written.items() if not _is_kept(path, text)}
    return sorted(wrong | {f"{CONTRACTS}/{name}" for name in asyncapi.drift(asyncapi.documents())})


def _is_kept(path: str, text: str) -> bool:
    file = ROOT / path
    return file.exists() and file.read_text(encoding="utf-8") == text


def main() -> int:
    """Write the documents, or with `--check` list those that are not current; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a document differs")
    written = documents()
    if not parser.parse_args().check:
        for path, text in written.items():
            (ROOT / path).write_text(text, encoding="utf-8")
        return 0
    drifted = drift(written)
    for path in drifted:
        print(f"{path} differs from the code: run make docs", file=sys.stderr)
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
