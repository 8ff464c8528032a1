"""The models of requests and answers are the messages of the .proto file: the same names, and types that match."""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from pydantic import BaseModel

from shared.contracts.api.answers import ANSWERS
from shared.contracts.api.methods import METHODS
from shared.contracts.api.upbeat.v1 import decisions_pb2

SERVICE = decisions_pb2.DESCRIPTOR.services_by_name["DecisionsService"]
STRUCT = "google.protobuf.Struct"


def models() -> Iterator[tuple[type[BaseModel], Descriptor]]:
    """Each model with its message, those of nested messages included."""
    for name, method in METHODS.items():
        yield method.request, SERVICE.methods_by_name[name].input_type
        yield from nested(ANSWERS[name], SERVICE.methods_by_name[name].output_type)


def nested(model: type[BaseModel], message: Descriptor) -> Iterator[tuple[type[BaseModel], Descriptor]]:
    yield model, message
    for name, field in model.model_fields.items():
        for part in parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from nested(part, message.fields_by_name[name].message_type)


def parts(annotation: Any) -> tuple[Any, ...]:
    """The types in a union or a list, without None."""
    if get_origin(annotation) in {UnionType, Union}:
        return tuple(part for part in get_args(annotation) if part is not NoneType)
    return get_args(annotation) if get_origin(annotation) is list else (annotation,)


MODELS = [*models()]


def kind_in_json(annotation: Any) -> str:
    """The type that a field has in the .proto file."""
    (part,) = parts(annotation)
    if get_origin(part) is Annotated:
        part = get_args(part)[0]
    if get_origin(part) is dict:
        return STRUCT
    if get_origin(part) is Literal or issubclass(part, Enum | str | datetime):
        return "string"
    if issubclass(part, BaseModel):
        return f"upbeat.v1.{part.__name__}"
    return "bool" if issubclass(part, bool) else "int64"


def kind_in_proto(field: FieldDescriptor) -> str:
    names = {FieldDescriptor.TYPE_STRING: "string", FieldDescriptor.TYPE_BOOL: "bool"}
    names[FieldDescriptor.TYPE_INT64] = "int64"
    return field.message_type.full_name if field.message_type else names[field.type]


@pytest.mark.parametrize(("model", "message"), MODELS, ids=[message.name for _, message in MODELS])
def test_a_model_has_the_fields_of_its_message(model: type[BaseModel], message: Descriptor) -> None:
    told = {name: kind_in_json(field.annotation) for name, field in model.model_fields.items()}
    assert told == {field.name: kind_in_proto(field) for field in message.fields}
    lists = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}
    assert lists == {field.name for field in message.fields if field.is_repeated}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answers_model_is_named_for_its_message(name: str) -> None:
    assert ANSWERS[name].__name__ == SERVICE.methods_by_name[name].output_type.name


@pytest.mark.parametrize(("model", "message"), MODELS, ids=[message.name for _, message in MODELS])
def test_what_may_be_null_is_optional_in_the_message(model: type[BaseModel], message: Descriptor) -> None:
    nullable = {name for name, field in model.model_fields.items() if NoneType in get_args(field.annotation)}
    optional = {field.name for field in message.fields if field.has_presence and field.containing_oneof}
    assert nullable - {"decision"} == optional
