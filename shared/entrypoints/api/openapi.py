"""The OpenAPI document of the API, from the models of its requests and answers and the table of problems.

https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.contracts.api.answers import ANSWERS
from shared.contracts.api.methods import METHODS, Method
from shared.contracts.json_schemas import Schemas
from shared.contracts.reasons import RejectionReason
from shared.entrypoints.api import problems
from shared.entrypoints.api.http_request import KEY_HEADER, MAX_BODY_BYTES, SECONDS_PATTERN, TIMEOUT_HEADER
from shared.entrypoints.api.problems import KINDS

Json = dict[str, Any]
Examples = Mapping[str, Mapping[str, Any]]
"""By the method's name, an example: the `request` by the names of its fields, and the `answer`."""
REFS = "#/components/schemas/{model}"
INTRODUCTION = """What a user has, what to offer now, and why. docs/api.md shows how to use it.

Every request needs an OIDC token of a caller that has the role to read, or to decide. Instants are RFC 3339 text
in UTC, amounts whole minor units. A client must expect fields that it does not know. Every refusal is a problem of
RFC 9457, whose `reason` is a word for machines.
"""
OF_EVERY_METHOD = (
    RejectionReason.INVALID,
    problems.NOT_ALLOWED,
    problems.NOT_ACCEPTABLE,
    problems.UNEXPECTED_ERROR,
    problems.UNAVAILABLE,
    problems.DEADLINE_EXCEEDED,
)
OF_A_BODY = (
    RejectionReason.NOT_JSON,
    RejectionReason.UNKNOWN_VALUE,
    RejectionReason.TOO_LARGE,
    RejectionReason.ID_REUSED,
    problems.UNSUPPORTED_MEDIA_TYPE,
)
OF_A_REPORT = (RejectionReason.UNKNOWN_TRIGGER, RejectionReason.FUTURE_DATED)


def document(examples: Examples | None = None) -> Json:
    """The document, with an example of each method if they are given."""
    requests = {name: method.request for name, method in METHODS.items()}
    models: list[type[BaseModel]] = [*requests.values(), *ANSWERS.values()]
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], schema_generator=Schemas, ref_template=REFS
    )
    schemas = definitions["$defs"]
    paths: dict[str, Json] = {}
    for name, method in METHODS.items():
        operation = _operation(name, method, schemas[method.request.__name__], (examples or {}).get(name))
        paths.setdefault(method.path, {})[method.verb.lower()] = operation
    described = {name: schema for name, schema in schemas.items() if name not in requests}
    bodies = {name: _body(METHODS[name], schemas[name]) for name in requests if METHODS[name].verb == "POST"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Upbeat", "version": "1.0.0", "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"oidc": []}],
        "paths": paths,
        "components": {
            "schemas": {**bodies, **described, "Problem": _problem()},
            "securitySchemes": {"oidc": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(name: str, method: Method, schema: Json, example: Mapping[str, Any] | None) -> Json:
    given = dict(example["request"]) if example else {}
    operation: Json = {
        "operationId": name,
        "summary": (method.request.__doc__ or "").partition("\n")[0],
        "parameters": [*_parameters(method, schema, given), *_headers(name)],
    }
    if method.verb == "POST":
        body: Json = {"schema": {"$ref": REFS.format(model=name)}}
        if example:
            body["example"] = {key: value for key, value in given.items() if not _is_in_path(method, key)}
        operation["requestBody"] = {"required": True, "content": {"application/json": body}}
    answer: Json = {"schema": {"$ref": REFS.format(model=ANSWERS[name].__name__)}}
    if example:
        answer["example"] = example["answer"]
    success: Json = {"description": ANSWERS[name].__doc__, "content": {"application/json": answer}}
    responses = {"200": success}
    if name == "GetEntitlement":
        success["headers"] = {header: {"schema": {"type": "string"}} for header in ("ETag", "Cache-Control")}
        responses["304"] = {"description": "The answer is still the one with the tag of `If-None-Match`."}
    return {**operation, "responses": {**responses, **dict(_refusals(name, method))}}


def _parameters(method: Method, schema: Json, given: Json) -> Iterator[Json]:
    """The parameters in the path, and for a `GET` those of the query."""
    for name, field in schema["properties"].items():
        in_path = _is_in_path(method, name)
        if not in_path and method.verb == "POST":
            continue
        about: Json = {"name": name, "in": "path" if in_path else "query", "required": in_path}
        values = dict(_without_null(field))
        about["description"] = values.pop("description", "")
        yield about | {"schema": values} | ({"example": given[name]} if name in given else {})


def _headers(name: str) -> Iterator[Json]:
    if name == "GetEntitlement":
        text = "The tags of answers that the client has."
        yield {"name": "If-None-Match", "in": "header", "description": text, "schema": {"type": "string"}}
    if name == "Decide":
        text = "The field `idempotency_key`, in a header instead."
        yield {"name": KEY_HEADER, "in": "header", "description": text, "schema": {"type": "string"}}
    text = "The seconds after which the caller no longer waits; 10 at most."
    seconds = {"type": "string", "pattern": SECONDS_PATTERN, "examples": ["2.5"]}
    yield {"name": TIMEOUT_HEADER, "in": "header", "description": text, "schema": seconds}


def _body(method: Method, schema: Json) -> Json:
    """The schema of a body: the request without the fields of the path."""
    properties = {name: field for name, field in schema["properties"].items() if not _is_in_path(method, name)}
    # A header may give the key instead.
    required = [name for name in schema["required"] if name in properties and name != "idempotency_key"]
    return {**schema, "properties": properties, "required": required}


def _is_in_path(method: Method, name: str) -> bool:
    return f"{{{name}}}" in method.path


def _without_null(field: Json) -> Json:
    """The schema of a parameter, which cannot be null."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    outer = {key: value for key, value in field.items() if key != "anyOf"}
    return {**kinds[0], **outer} if len(kinds) == 1 else field


def _refusals(name: str, method: Method) -> Iterator[tuple[str, Json]]:
    """The problems that a method may answer, by their status."""
    of_body = OF_A_BODY if method.verb == "POST" else ()
    reasons = (*OF_EVERY_METHOD, *of_body, *(OF_A_REPORT if name == "GiveFeedback" else ()))
    for status in sorted({KINDS[reason].status for reason in reasons}):
        lines = [f"`{reason}`: {KINDS[reason].title}." for reason in reasons if KINDS[reason].status == status]
        problem = {"application/problem+json": {"schema": {"$ref": REFS.format(model="Problem")}}}
        response: Json = {"description": "\n".join(lines), "content": problem}
        if any(reason in problems.REPEATABLE for reason in reasons if KINDS[reason].status == status):
            response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "In seconds."}}
        yield str(status), response


def _problem() -> Json:
    """The schema of a problem. Its `type` ends with its reason."""
    return {
        "type": "object",
        "description": f"Why a request was not answered. A body may have {MAX_BODY_BYTES} bytes.",
        "properties": {
            "type": {"type": "string", "pattern": f"^{problems.TYPE}[a-z_]+$"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What was expected and found; no value of the request."},
            "reason": {"enum": [str(reason) for reason in KINDS]},
        },
        "required": ["type", "title", "status", "detail", "reason"],
    }
