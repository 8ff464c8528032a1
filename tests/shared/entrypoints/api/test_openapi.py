"""The OpenAPI document is true: whatever comes, the answer is one that it describes."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from shared import wiring
from shared.contracts.api.answers import ANSWERS
from shared.contracts.api.methods import METHODS
from shared.entrypoints.api.openapi import document
from tests.shared.entrypoints.api.test_http import Api
from tests.support.asgi import Answered, fetch
from tests.support.histories import USER
from tests.support.story import paid

DOCUMENT = document()
REGISTRY: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(DOCUMENT))
PROTO = Path(__file__).parents[4] / "shared/contracts/api/upbeat/v1/decisions.proto"


def check(answered: Answered, name: str) -> None:
    """Raise `AssertionError` or `ValidationError` if the document does not describe the answer."""
    method = METHODS[name]
    responses = DOCUMENT["paths"][method.path][method.verb.lower()]["responses"]
    described = responses.get(str(answered.status))
    assert described, (answered.status, answered.body)
    if answered.status == 304:
        assert not answered.body
        return
    schema = described["content"][answered.headers["content-type"]]["schema"]
    whole = {"$ref": f"urn:api{schema['$ref']}"}
    Draft202012Validator(whole, registry=REGISTRY).validate(answered.json)
    if "reason" in answered.json:
        assert f"`{answered.json['reason']}`" in described["description"]


IDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/?#%"), min_size=1, max_size=9
)
SMALL = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
ANYTHING = st.recursive(SMALL, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(IDS, inner, max_size=3))
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "placement": st.sampled_from(["home", "mail"]) | ANYTHING,
        "idempotency_key": st.sampled_from(["k1", "k2"]) | IDS | ANYTHING,
        "dry_run": st.booleans() | ANYTHING,
        "kind": st.sampled_from(["clicked", "delivered"]) | ANYTHING,
        "occurred_at": st.just("2026-01-01T00:00:00Z") | ANYTHING,
        "event_id": IDS | ANYTHING,
        "user_id": ANYTHING,
    },
)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.verb == "POST"])
@given(content=BODIES | ANYTHING, trigger_id=IDS)
@settings(deadline=None)
def test_whatever_json_comes_the_answer_is_a_problem_with_a_reason_or_valid(
    name: str, content: Any, trigger_id: str
) -> None:
    path = METHODS[name].path.format(user_id=USER, trigger_id=trigger_id)

    async def ask() -> Answered:
        api = Api()
        await api.world.application.handle(paid(0))
        return await api.post(path, json.dumps(content).encode())

    try:
        check(asyncio.run(ask()), name)
    finally:
        wiring.use(None)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.verb == "GET"])
@given(
    user_id=IDS,
    query=st.lists(st.tuples(st.sampled_from(["every", "min_sequence", "placement", "x"]), IDS), max_size=2),
    accept=st.sampled_from(["*/*", "text/html"]),
)
@settings(deadline=None)
def test_whatever_is_asked_the_answer_is_a_problem_with_a_reason_or_valid(
    name: str, user_id: str, query: list[tuple[str, str]], accept: str
) -> None:
    url = METHODS[name].path.format(user_id=user_id) + "?" + "&".join(f"{key}={value}" for key, value in query)

    async def ask() -> Answered:
        api = Api()
        await api.world.application.handle(paid(0))
        return await fetch(api.app, "GET", url, {"accept": accept, "x-request-timeout": "0.2"})

    try:
        check(asyncio.run(ask()), name)
    finally:
        wiring.use(None)


def test_every_method_of_the_definition_has_a_path_and_no_path_is_of_another() -> None:
    named = re.findall(r"rpc (\w+)\((\w+)\) returns \((\w+)\)", PROTO.read_text())
    assert [name for name, _, _ in named] == [*METHODS] == [*ANSWERS]
    assert all(ANSWERS[name].__name__ == answer for name, _, answer in named)
