"""The consumer that docs/consuming.md shows is run, in every order of messages and with repeats."""

import json
import re
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.topology import ROOT

PAGE = (ROOT / "docs" / "consuming.md").read_text()
(CODE,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = ROOT / "docs" / "contracts" / "examples" / "upsell-trigger"
ISSUED = json.loads((EXAMPLES / "issued.json").read_text())
REVOKED = json.loads((EXAMPLES / "revoked.json").read_text())
NOW = "2026-04-16T12:00:00Z"


def of(name: str, kind: str, sequence: int) -> dict[str, Any]:
    """A message about a trigger of this name, whose offer has the same name."""
    example = {"issued": ISSUED, "revoked": REVOKED}[kind]
    ids = {"trigger_id": name, "offer_id": name, "message_id": f"{name}.{kind}", "placement": "home"}
    return example | ids | {"sequence": sequence, "expires_at": "2026-04-22T09:31:06Z"}


def shown(messages: Any, now: str = NOW) -> str | None:
    """The offers that a new consumer shows after these messages."""
    consumer: dict[str, Any] = {}
    exec(CODE, consumer)  # noqa: S102 - the page is ours
    for message in messages:
        consumer["receive"](json.dumps(message).encode())
    return consumer["offer_for"]("u-1001", "home", now)


def test_it_has_20_lines_and_imports_the_standard_library_alone() -> None:
    lines = [line for line in CODE.splitlines() if line.strip() and not line.strip().startswith('"""')]
    assert len(lines) <= 20
    assert re.findall(r"^import (\w+)$", CODE, re.MULTILINE) == ["json", "sqlite3"]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_in_any_order_the_newest_offer_that_was_not_revoked_is_shown(order: tuple[int, ...]) -> None:
    messages = [of("old", "issued", 1), of("new", "issued", 2), of("gone", "issued", 3), of("gone", "revoked", 4)]
    assert shown([messages[place] for place in order]) == "new"
    assert shown([messages[place] for place in order + order]) == "new"


def test_nothing_is_shown_from_its_expiry_on() -> None:
    assert shown([of("only", "issued", 1)], "2026-04-22T09:31:05Z") == "only"
    assert shown([of("only", "issued", 1)], "2026-04-22T09:31:06Z") is None
    assert shown([]) is None


KINDS = [*product("abc", ("issued", "revoked"))]


@given(st.lists(st.sampled_from(KINDS), max_size=12))
def test_whatever_comes_it_shows_what_the_rules_say(given_: list[tuple[str, str]]) -> None:
    messages = [of(name, kind, "abc".index(name) + 1 + 3 * (kind == "revoked")) for name, kind in given_]
    revoked = {name for name, kind in given_ if kind == "revoked"}
    open_offers = {name for name, kind in given_ if kind == "issued"} - revoked
    assert shown(messages) == max(open_offers, default=None)
