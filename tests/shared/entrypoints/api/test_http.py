"""The API over HTTP: each method by its path, and for whatever else comes a problem with its reason."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from functions_framework.aio import create_asgi_app

from shared import wiring
from shared.domain.errors import Transient
from shared.settings import InvalidSettings
from shared.wiring import Wiring
from tests.shared.entrypoints.api.test_callers import bearer
from tests.shared.entrypoints.api.test_service import World
from tests.support.asgi import FUNCTIONS, Answered, fetch
from tests.support.histories import START, TERMS, USER
from tests.support.story import paid, trial

JSON = {"content-type": "application/json"}
ENTITLEMENT = f"/v1/users/{USER}/entitlement"
DECISIONS = f"/v1/users/{USER}/decisions"


class Api:
    """The function in this process, over a world that the test controls."""

    def __init__(self, name: str = "decisions", **wired: Any) -> None:
        self.world = World()
        base = Wiring(self.world.application, None, self.world.bus, self.world.clock, TERMS)
        wiring.use(replace(base, **wired))
        self.app = create_asgi_app(name, str(FUNCTIONS / name / "main.py"), "http")

    async def get(self, url: str, **headers: str) -> Answered:
        return await fetch(self.app, "GET", url, {name.replace("_", "-"): text for name, text in headers.items()})

    async def post(self, url: str, content: Any, **headers: str) -> Answered:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        return await fetch(self.app, "POST", url, JSON | given, body)

    async def decide(self, key: str = "k1", placement: str = "home", **headers: str) -> Answered:
        return await self.post(DECISIONS, {"placement": placement, "idempotency_key": key}, **headers)

    def fail_with(self, error: Exception) -> None:
        async def fail(_user: str) -> None:
            raise error

        self.world.application.records.load = fail  # type: ignore[method-assign, assignment]


@pytest.fixture
def api() -> Iterator[Api]:
    yield Api()
    wiring.use(None)


def check_problem(answered: Answered, status: int, reason: str) -> dict[str, Any]:
    assert (answered.status, answered.json["reason"]) == (status, reason), answered.json
    assert answered.headers["content-type"] == "application/problem+json"
    assert answered.headers["cache-control"] == "no-store"
    assert answered.json["status"] == status
    return answered.json


@pytest.mark.parametrize("name", ["decisions", "decisions_read"])
def test_a_service_without_its_settings_fails_at_its_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wiring.use(None)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(InvalidSettings, match="GOOGLE_CLOUD_PROJECT"):
        create_asgi_app(name, str(FUNCTIONS / name / "main.py"), "http")


async def test_every_method_has_its_path(api: Api) -> None:
    await api.world.application.handle(paid(0))
    decided = (await api.decide()).json
    trigger = decided["offer"]["trigger_id"]
    assert (await api.get(f"/v1/users/{USER}/offers?placement=home")).json["offers"] == [decided["offer"]]
    assert (await api.get(f"/v1/users/{USER}/offers?placement=mail")).json["offers"] == []
    given = await api.post(f"/v1/users/{USER}/triggers/{trigger}/feedback", {"kind": "clicked"})
    assert (given.json["outcome"], given.json["state"]) == ("applied", "clicked")
    assert (await api.get(f"{DECISIONS}/latest")).json["decision"]["event"]["event_id"] == "k1"
    told = (await api.get(f"/v1/users/{USER}/subscription?every=true&min_sequence=1")).json
    assert (told["subscription"]["status"], told["stale"], len(told["subscriptions"])) == ("active", False, 1)
    assert (await api.get(ENTITLEMENT)).json["entitled"] is True


async def test_an_entitlement_may_be_kept_for_a_minute_but_not_beyond_its_end(api: Api) -> None:
    await api.world.application.handle(trial(0, ends=14))
    told = await api.get(ENTITLEMENT)
    assert told.headers["cache-control"] == "private, max-age=60"
    assert told.headers["etag"] == f'"{told.json["etag"]}"'
    for left, said in ((30.9, "private, max-age=30"), (0.5, "private, no-cache")):
        api.world.clock.move_to(START + timedelta(days=14, seconds=-left))
        assert (await api.get(ENTITLEMENT)).headers["cache-control"] == said
    api.world.clock.move_to(START + timedelta(days=14))
    assert (await api.get(ENTITLEMENT, if_none_match=told.headers["etag"])).status == 200


@pytest.mark.parametrize(
    ("template", "status"),
    [("{}", 304), ("W/{}", 304), ('"other", {}', 304), ("*", 304), ('"other"', 200), ("", 200)],
)
async def test_a_client_that_has_the_answer_is_told_so_without_a_body(
    api: Api, template: str, status: int
) -> None:
    tag = (await api.get(ENTITLEMENT)).headers["etag"]
    answered = await api.get(ENTITLEMENT, if_none_match=template.format(tag))
    assert answered.status == status
    assert (answered.body == b"") is (status == 304)
    assert answered.headers["etag"] == tag


async def test_while_the_store_is_down_a_kept_entitlement_is_told_as_stale_and_not_cached(api: Api) -> None:
    await api.get(ENTITLEMENT)
    api.fail_with(Transient("firestore: UNAVAILABLE"))
    told = await api.get(ENTITLEMENT)
    assert (told.status, told.json["stale"], told.headers["cache-control"]) == (200, True, "no-store")
    assert "etag" not in told.headers
    refused = await api.get("/v1/users/another/entitlement")
    check_problem(refused, 503, "unavailable")
    assert refused.headers["retry-after"] == "1"


async def test_the_key_may_stand_in_a_header_with_or_without_quotes(api: Api) -> None:
    await api.world.application.handle(paid(0))
    for header in ("k1", '"k1"'):
        answered = await api.post(DECISIONS, {"placement": "home"}, idempotency_key=header)
        assert answered.json["offer"], answered.json
    assert (await api.decide("k1", idempotency_key="k1")).json["is_repeat"]
    problem = check_problem(await api.decide("k1", idempotency_key="k2"), 422, "invalid")
    assert problem["detail"] == "idempotency_key: expected the value of the header idempotency-key, found another"
    check_problem(await api.post(DECISIONS, {"placement": "home"}), 422, "invalid")
    check_problem(await api.post(DECISIONS, {"placement": "home"}, idempotency_key='""'), 422, "invalid")


async def test_a_key_that_had_another_body_is_a_conflict(api: Api) -> None:
    await api.world.application.handle(paid(0))
    await api.decide("k1")
    check_problem(await api.decide("k1", "mail"), 409, "id_reused")


async def test_a_caller_is_held_to_its_placements() -> None:
    api = Api(api_placements={"home@x": ("home",)})
    check_problem(await api.decide(), 403, "not_allowed")
    check_problem(await api.decide(placement="mail", authorization=bearer("home@x")), 403, "not_allowed")
    assert (await api.decide(authorization=bearer("home@x"))).status == 200
    wiring.use(None)


async def test_the_service_that_reads_serves_nothing_else() -> None:
    api = Api("decisions_read")
    assert (await api.get(ENTITLEMENT)).status == 200
    problem = check_problem(await api.decide(), 403, "not_allowed")
    assert "the service `decisions` has the others" in problem["detail"]
    wiring.use(None)


async def test_a_page_tells_of_the_service_and_another_what_it_answers(api: Api) -> None:
    api.fail_with(Transient("no page asks the store"))
    assert (await api.get("/healthz")).json == {"status": "ok"}
    index = await api.get("/")
    assert index.headers["link"] == '</openapi.json>; rel="service-desc"'
    document = (await api.get(index.json["openapi"])).json
    assert document["openapi"] == "3.1.0"


async def test_an_id_is_taken_as_it_is_encoded(api: Api) -> None:
    told = await api.get("/v1/users/auth0%7C42/entitlement")
    assert told.json["user_id"] == "auth0|42"
    assert (await api.get("/v1/users/a+b@example.com/entitlement")).json["user_id"] == "a+b@example.com"


@pytest.mark.parametrize(
    "user_id", ["a%2Fb", "%20", "a%20b", "%00", "%C3%A9", "%FF", "%F0%9F%98%80", "", "x" * 257]
)
async def test_an_id_that_is_none_is_refused(api: Api, user_id: str) -> None:
    problem = check_problem(await api.get(f"/v1/users/{user_id}/entitlement"), 422, "invalid")
    assert problem["detail"].startswith("user_id: expected 1 to 256 printable ASCII characters")


async def test_a_line_break_in_a_path_is_refused_by_the_framework_itself(api: Api) -> None:
    assert (await api.get("/v1/users/a%0Ab/entitlement")).status == 404


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("min_sequence=x", "min_sequence: expected an integer from 0 to"),
        ("min_sequence=-1", "found a number below 0"),
        ("min_sequence=99999999999999999999", "found a number above"),
        ("min_sequence=1.0", "found a string of 3 characters"),
        ("every=1", "every: expected true or false"),
        ("every=true&every=true", "every: expected one value, found two"),
        (
            "evry=true",
            "the query's parameters: expected one of every, min_sequence, after_event_id, found another",
        ),
        ("user_id=x", "the query's parameters: expected one of"),
        ("after_event_id=a%2Fb", "after_event_id: expected 1 to 256"),
    ],
)
async def test_a_query_that_is_none_is_refused_in_a_sentence(api: Api, query: str, detail: str) -> None:
    problem = check_problem(await api.get(f"/v1/users/{USER}/subscription?{query}"), 422, "invalid")
    assert detail in problem["detail"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"\xff", 400, "not_json"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'{"placement": NaN}', 422, "invalid"),
        (b'{"placement": "home", "placement": "home"}', 422, "invalid"),
        (b"[" * 5000, 422, "invalid"),
        (b'{"placement": "home", "idempotency_key": "k", "user_id": "other"}', 422, "invalid"),
        (b'{"placement": "home", "idempotency_key": "k", "dry_run": "true"}', 422, "invalid"),
        (b'{"placement": "nowhere", "idempotency_key": "k"}', 422, "unknown_value"),
        (b'{"placement": "home", "idempotency_key": "a/b"}', 422, "invalid"),
        (b'{"placement": "home", "idempotency_key": "k", "more": 1}', 422, "invalid"),
        (b" " * 1_000_000, 413, "too_large"),
        (b'"' + b"x" * 1_000_000 + b'"', 413, "too_large"),
    ],
)
async def test_a_body_that_is_none_is_refused(api: Api, body: bytes, status: int, reason: str) -> None:
    check_problem(await api.post(DECISIONS, body), status, reason)
    assert api.world.store.commits == 0


async def test_a_query_beside_a_body_is_refused(api: Api) -> None:
    check_problem(await api.post(f"{DECISIONS}?dry_run=true", {"placement": "home"}), 422, "invalid")


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_a_body_of_another_type_is_refused(api: Api, kind: str) -> None:
    check_problem(await api.post(DECISIONS, {}, content_type=kind), 415, "unsupported_media_type")


async def test_a_compressed_body_is_refused(api: Api) -> None:
    check_problem(await api.post(DECISIONS, {}, content_encoding="gzip"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/*", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("", 406),
    ],
)
async def test_an_answer_is_json_or_none(api: Api, accept: str, status: int) -> None:
    answered = await api.get(ENTITLEMENT, accept=accept)
    assert answered.status == status
    if status != 200:
        check_problem(answered, 406, "not_acceptable")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", ENTITLEMENT, "GET, HEAD"),
        ("DELETE", ENTITLEMENT, "GET, HEAD"),
        ("GET", DECISIONS, "POST"),
        ("OPTIONS", DECISIONS, "POST"),
        ("PUT", f"{DECISIONS}/latest", "GET, HEAD"),
    ],
)
async def test_another_http_method_is_refused_with_those_that_there_are(
    api: Api, method: str, path: str, allow: str
) -> None:
    answered = await fetch(api.app, method, path)
    check_problem(answered, 405, "method_not_allowed")
    assert answered.headers["allow"] == allow


@pytest.mark.parametrize(
    "path", ["/v1", "/v2/users/u/entitlement", f"{ENTITLEMENT}/", "/v1/users/a/b/entitlement"]
)
async def test_another_path_is_not_found(api: Api, path: str) -> None:
    check_problem(await api.get(path), 404, "not_found")
    check_problem(await api.post("/", {}), 404, "not_found")


async def test_a_head_request_is_a_get_request(api: Api) -> None:
    told = await fetch(api.app, "HEAD", ENTITLEMENT)
    assert (told.status, told.headers["etag"]) == (200, (await api.get(ENTITLEMENT)).headers["etag"])


@pytest.mark.parametrize("header", ["0", "0.000", "-1", "x", "1e3", "", "1s", "nan", "5\n"])
async def test_a_time_that_is_none_is_refused(api: Api, header: str) -> None:
    check_problem(await api.get(ENTITLEMENT, x_request_timeout=header), 422, "invalid")


async def test_a_request_ends_when_its_time_is_over(api: Api) -> None:
    async def hang(_user: str) -> None:
        await asyncio.Event().wait()

    api.world.application.records.load = hang  # type: ignore[method-assign, assignment]
    answered = await api.get(ENTITLEMENT, x_request_timeout="0.01")
    check_problem(answered, 504, "deadline_exceeded")
    assert answered.headers["retry-after"] == "1"


async def test_a_bug_is_a_problem_that_tells_nothing(api: Api) -> None:
    api.fail_with(KeyError("u-secret"))
    problem = check_problem(await api.get(ENTITLEMENT), 500, "unexpected_error")
    assert "secret" not in str(problem)


async def test_a_thousand_calls_at_once_are_all_answered(api: Api) -> None:
    await api.world.application.handle(paid(0))
    told = await asyncio.gather(*(api.get(ENTITLEMENT) for _ in range(1000)))
    assert {one.status for one in told} == {200}
    decided = await asyncio.gather(*(api.decide("one-key") for _ in range(1000)))
    assert {one.status for one in decided} == {200}
    assert len({one.json["offer"]["trigger_id"] for one in decided}) == 1
    assert sum(not one.json["is_repeat"] for one in decided) == 1
