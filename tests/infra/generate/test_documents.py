"""The pages that are generated for people are current, and say all that there is."""

import json
import re

import pytest
from typer.main import get_command

from infra.__main__ import GROUPS, app
from infra.generate.__main__ import CONTRACTS, documents, drift
from infra.topology import ROOT
from shared.contracts.topics import Topic

WRITTEN = documents()
COMMANDS = WRITTEN["docs/commands.md"]


def test_every_document_is_current() -> None:
    assert drift(WRITTEN) == [], "run make docs"


def test_a_document_that_differs_is_listed() -> None:
    assert drift({**WRITTEN, "docs/commands.md": "", "docs/no.md": ""}) == ["docs/commands.md", "docs/no.md"]


def test_every_command_has_a_section() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    within = {f"{group} {name}" for group in GROUPS for name in commands[group].commands}
    assert {*re.findall(r"^#+ upbeat (.+)$", COMMANDS, re.MULTILINE)} == commands.keys() | within


def test_every_option_of_a_command_is_in_its_table() -> None:
    trigger = COMMANDS.partition("## upbeat trigger\n")[2].partition("\n## ")[0]
    assert {"--user ID", "--set FIELD=VALUE", "--print", "--list", "--project ID", "--json"} <= {
        *re.findall(r"^\| `([^`]+)` \|", trigger, re.MULTILINE)
    }


@pytest.mark.parametrize("topic", Topic)
def test_a_page_of_a_message_has_every_field_of_its_schema(topic: str) -> None:
    page = WRITTEN[f"{CONTRACTS}/{topic}.md"]
    schema = json.loads((ROOT / CONTRACTS / f"{topic}.schema.json").read_text())
    parts = [schema, *schema.get("$defs", {}).values()]
    fields = [name for part in parts for name in part.get("properties", {})]
    assert [name for name in fields if f"\n| `{name}` | " not in page] == []
    assert f"[`{topic}`]({topic}.md)" in WRITTEN[f"{CONTRACTS}/README.md"]


def test_every_decision_is_in_the_list() -> None:
    records = {record.name for record in (ROOT / "docs/decisions").glob("0*.md")}
    assert {*re.findall(r"\]\((.+?)\)", WRITTEN["docs/decisions/README.md"])} == records
