"""Links: only those that were signed hold, and only as they were signed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.links import Action, Links
from tests.support.mail import KEY, LINKS, TRIGGER_ID

PATHS = [LINKS.link(action, TRIGGER_ID).removeprefix("https://links.example") for action in Action]


def test_a_link_holds_as_it_was_signed() -> None:
    assert [LINKS.read(path) for path in PATHS] == [(action, TRIGGER_ID) for action in Action]


def test_a_link_holds_after_its_key_was_replaced_and_until_it_is_dropped() -> None:
    assert Links("https://other.example", ["n" * 32, KEY]).read(PATHS[0]) == (Action.CLICK, TRIGGER_ID)
    assert Links("https://other.example", ["n" * 32]).read(PATHS[0]) is None


@pytest.mark.parametrize("path", PATHS)
def test_no_link_holds_with_another_action_trigger_or_signature(path: str) -> None:
    _, action, trigger_id, signature = path.split("/")
    others = [other for other in Action if other != action]
    forged = [
        *(f"/{other}/{trigger_id}/{signature}" for other in others),
        f"/{action}/{trigger_id[:-1]}b/{signature}",
        f"/{action}/{trigger_id}/{signature[:-1]}",
        f"/{action}/{trigger_id}/{signature.upper()}",
        f"/{action}/{trigger_id}/{'0' * 64}",
        f"/{action}/{trigger_id}/",
        f"/{action}/{trigger_id}",
        f"/{action}//{signature}",
        f"/x{path}",
        f"{path}/",
        f"/{action}/{trigger_id}/{signature}\u00e9",
        "/",
        "",
        "//",
    ]
    assert [LINKS.read(each) for each in forged] == [None] * len(forged)


@given(st.sampled_from(PATHS), st.integers(0, 110), st.characters())
def test_no_link_holds_with_one_character_changed(path: str, at: int, character: str) -> None:
    at %= len(path)
    changed = path[:at] + character + path[at + 1 :]
    assert changed.removeprefix("/") == path.removeprefix("/") or LINKS.read(changed) is None
