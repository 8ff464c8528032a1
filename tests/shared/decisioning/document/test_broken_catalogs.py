"""Catalogs with one typical mistake each. Each file begins with its expected problems as comments."""

from pathlib import Path

import pytest

from infra.catalog.load import load_catalog
from shared.domain.errors import InvalidCatalog
from tests.shared.decisioning.document.broken_catalogs import BROKEN, expected


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_mistake_is_told_with_its_path_what_was_expected_and_what_was_found(file: Path) -> None:
    with pytest.raises(InvalidCatalog) as refused:
        load_catalog(file)
    assert refused.value.problems == expected(file)


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_every_message_has_three_parts(file: Path) -> None:
    assert expected(file)
    for sentence in expected(file):
        path, _, rest = sentence.partition(": expected ")
        assert path
        assert " found " in rest


def test_there_are_many_ways_to_go_wrong() -> None:
    assert len(BROKEN) > 90
