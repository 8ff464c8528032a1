"""A folder of entries is a catalog, checked file by file."""

import json

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.strict_yaml import read_yaml
from shared.decisioning.document.entries import SECTIONS, Entry
from tests.support.syncs import SALE, changed, write_folder


def run(*words):
    return CliRunner().invoke(app, ["catalog", "sync", *map(str, words)])


def test_the_shipped_catalog_in_files_is_the_same_version(tmp_path):
    content = read_yaml(DEFAULT_CATALOG.read_bytes())
    for section in {*SECTIONS} & {*content}:
        write_folder(tmp_path, [Entry(section, id_, fields, "") for id_, fields in content[section].items()])
    settings = {name: value for name, value in content.items() if name not in SECTIONS}
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))
    told = run(tmp_path, "--check", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["version"] == load_catalog().version


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("offers/any.yaml", "a: [", "file: expected YAML, found a mistake in line 2"),
        ("offers/any.yaml", "- 1", "file: expected an object, found a list"),
        ("ofers/any.yaml", "a: 1", "(offers?), found ofers/any.yaml"),
        ("any.yaml", "a: 1", "file: expected settings.yaml, or SECTION/ID.yaml"),
        ("offers/deep/any.yaml", "a: 1", "found offers/deep/any.yaml"),
        ("offers/any.yml", "{cms_ref: x, validity_hours: 1}", "expected each id once"),
        ("settings.yaml", "kill_switch: maybe", 'kill_switch: expected true or false, found "maybe"'),
        ("scores/risk.yaml", "version: 9", "scores.risk.version: expected a valid scores/risk.9, found"),
    ],
)
def test_a_mistake_is_told_with_its_file(tmp_path, file, text, problem):
    write_folder(tmp_path, SALE)
    (tmp_path / file).parent.mkdir(exist_ok=True, parents=True)
    (tmp_path / file).write_text(text)
    told = run(tmp_path, "--check")
    assert told.exit_code == 1
    (line,) = told.output.splitlines()
    assert line.startswith(f"{tmp_path / file}: ")
    assert problem in line


def test_two_mistakes_of_one_entry_are_both_told(tmp_path):
    write_folder(tmp_path, changed(SALE, "any", validity_hours=0, cms_ref=7))
    lines = run(tmp_path, "--check").output.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{tmp_path / 'offers/any.yaml'}: offers.any.") for line in lines)


def test_a_folder_that_is_none_is_an_error(tmp_path):
    told = run(tmp_path / "none", "--check")
    assert told.exit_code == 2
