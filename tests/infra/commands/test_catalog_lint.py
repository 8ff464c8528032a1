"""`catalog lint` on every broken catalog: what it prints is what the file says of itself, and nothing else."""

import json

from tests.shared.decisioning.document.broken_catalogs import BROKEN, expected
from tests.support.builders import campaign, catalog


def test_every_broken_catalog_is_told_by_its_mistakes(run) -> None:
    told = {file: run("catalog", "lint", str(file)) for file in BROKEN}
    assert {file: done.stdout.splitlines() for file, done in told.items()} == {
        file: expected(file) for file in BROKEN
    }
    assert {done.exit_code for done in told.values()} == {1}


def test_the_same_is_said_in_json(run) -> None:
    (file,) = (file for file in BROKEN if file.stem == "dangling_offer")
    told = json.loads(run("catalog", "lint", str(file), "--json").stdout)
    assert told == {"file": str(file), "valid": False, "problems": expected(file)}


def test_lint_prints_warnings_and_calls_the_catalog_valid(run, tmp_path) -> None:
    file = tmp_path / "catalog.json"
    document = catalog(campaigns={"upgrade": campaign(ends_at="2020-01-01T00:00:00Z")}).document
    file.write_text(document.model_dump_json(exclude_defaults=True))
    done = run("catalog", "lint", str(file))
    valid, warning = done.stdout.splitlines()
    assert done.exit_code == 0
    assert "is valid: version" in valid
    assert warning.startswith("warning: campaigns.upgrade.ends_at: expected a time to come")
    facts = json.loads(run("catalog", "lint", str(file), "--json").stdout)
    assert facts["valid"] is True
    assert facts["warnings"] == [warning.removeprefix("warning: ")]
