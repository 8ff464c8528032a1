"""The page for apps has the table of problems, and the paths of the API, as they are."""

import re

from shared.contracts.api.methods import METHODS
from shared.entrypoints.api.problems import KINDS
from tests.support.api_docs import PAGE

_row = re.compile(r"^\| `(\w+)` \| (\d+) \| `(\w+)` \| (.+) \|$", re.MULTILINE)


def test_the_table_of_problems_is_the_codes() -> None:
    told = {reason: (int(status), code, title) for reason, status, code, title in _row.findall(PAGE)}
    assert told == {str(reason): tuple(kind) for reason, kind in KINDS.items()}


def test_every_path_is_told() -> None:
    for method in METHODS.values():
        assert f"`{method.verb} {method.path}" in PAGE


def test_the_client_has_about_forty_lines() -> None:
    (client,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(client.splitlines()) <= 45
