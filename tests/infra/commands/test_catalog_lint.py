"""`catalog lint` on every broken catalog: what it prints is what the file says of itself, and nothing else."""

import json

from tests.shared.decisioning.document.broken_catalogs import BROKEN, expected


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
