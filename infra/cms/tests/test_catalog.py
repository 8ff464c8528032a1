"""A catalog goes in and comes out as it was."""

import json
import re
from copy import deepcopy

import pytest
from conftest import ROOT, SHIPPED
from django.core.management import CommandError, call_command

from entries.imported import take_over
from entries.models import KINDS
from infra.strict_yaml import read_yaml
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.entries import SETTINGS, Entry, assemble


def catalog_from(ask, limit=100):
    """The catalog that Upbeat makes of the API's pages."""
    entries, after = [], ""
    while after is not None:
        answer = ask("entries", data={"limit": limit, "after": after})
        assert answer.status_code == 200, answer.content
        page = answer.json()
        entries += page["entries"]
        after = page["next"]
    section = {kind: model.section for kind, model in KINDS.items()}
    made = assemble([Entry(section[each["type"]], each["id"], each["fields"], each["url"]) for each in entries])
    assert made.mistakes == []
    return compile_catalog(made.content)


def test_the_shipped_catalog_comes_out_by_the_api_as_it_went_in(shipped, ask):
    found, expected = catalog_from(ask, limit=7), compile_catalog(SHIPPED)
    assert found.document == expected.document
    assert found.version == expected.version


def documented():
    """The catalog of docs/catalog.md, which has every field."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/catalog.md").read_text(), re.DOTALL)
    return json.loads(json.dumps(read_yaml(max(blocks, key=len).encode()), default=str))


def test_a_catalog_with_every_field_comes_out_as_it_went_in(admin, ask):
    content = documented()
    assert {*content} >= {*(model.section for model in KINDS.values())} - {SETTINGS}
    take_over(content, admin.user)
    assert catalog_from(ask).document == compile_catalog(content).document


@pytest.mark.parametrize(
    "fields",
    [
        {"percent": 5, "campaigns": []},
        {"percent": 5, "campaigns": None},
        {"percent": 0.5, "starts_at": "2026-01-31T09:00:00.000001+05:30", "ends_at": None},
        {"percent": "5", "salt": " <b>&amp;</b> "},
        {"percent": True, "audience": 7, "unknown": {"deep": [1, None, {"er": 1e300}]}},
        {"percent": 1e400, "starts_at": "2026-01-31", "ends_at": 5, "campaigns": "all"},
        {"percent": 5, "audience": "a" * 500},
    ],
)
def test_no_value_of_a_catalog_becomes_another(fields):
    entry = KINDS["holdout"](entry_id="a")
    entry.assign(fields)
    expected = {name: value for name, value in fields.items() if value is not None}
    if "starts_at" in expected and "T" in expected["starts_at"]:
        expected["starts_at"] = "2026-01-31T03:30:00.000001Z"
    assert entry.fields() == expected
    assert {name for name, value in expected.items() if isinstance(value, bool)} == {
        name for name, value in entry.fields().items() if isinstance(value, bool)
    }


def test_what_is_published_already_is_not_published_again(shipped, admin):
    assert take_over(SHIPPED, admin.user) == 0
    changed = deepcopy(SHIPPED)
    changed["offers"]["come_back"]["validity_hours"] = 1
    assert take_over(changed, admin.user) == 1


def test_a_catalog_with_a_mistake_is_not_taken_over(admin, tmp_path):
    file = tmp_path / "catalog.yaml"
    file.write_text("offers: {annual: {cms_ref: x, validity_hours: -1}, other: {cms_ref: x, validity_hours: 1}}")
    with pytest.raises(
        CommandError, match=re.escape("offers.annual.validity_hours: expected at least 1, found -1")
    ):
        call_command("import_catalog", file, user="admin")
    assert not KINDS["offer"].objects.exists()
    with pytest.raises(CommandError, match="--user: expected a user of this site, found 'nobody'"):
        call_command("import_catalog", file, user="nobody")
