"""Document ids: Firestore accepts them all, no two users share one, and they sort as the user ids do."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.gcp.paths import user_document_id

user_ids = st.text("!.~_-:@|$aZ0", min_size=1, max_size=7) | st.from_regex(r"__[!-.0-~]{0,252}__", fullmatch=True)


@given(user_ids)
def test_firestore_takes_every_id(user_id: str) -> None:
    named = user_document_id(user_id)
    assert named not in {".", ".."}
    assert "/" not in named
    assert not re.fullmatch("__.*__", named)
    assert 1 <= len(named.encode()) <= 1500


@given(user_ids, user_ids)
def test_ids_stay_distinct_and_in_order(one: str, other: str) -> None:
    assert (user_document_id(one) < user_document_id(other)) == (one < other)
    assert (user_document_id(one) == user_document_id(other)) == (one == other)


@given(st.from_regex(r"[A-Za-z][!-.0-~]{0,253}[A-Za-z0-9]", fullmatch=True))
def test_an_ordinary_id_is_the_documents_id(user_id: str) -> None:
    assert user_document_id(user_id) == user_id
