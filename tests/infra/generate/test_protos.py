"""The modules generated from .proto files: current, and the adapters' messages the same as Google's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.bigtable_v2.types import bigtable, data
from google.cloud.firestore_v1.types import bloom_filter, common, document, firestore, query, write
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.pubsub_v1.types import pubsub
from google.rpc import status_pb2

from infra.generate.protos import FOLDERS, ROOT, generate
from shared.adapters.gcp.protos import bigtable_pb2, firestore_pb2, pubsub_pb2

GOOGLES = {
    bigtable_pb2.DESCRIPTOR: (bigtable, data),
    firestore_pb2.DESCRIPTOR: (common, document, firestore, query, write, bloom_filter),
    pubsub_pb2.DESCRIPTOR: (pubsub,),
}
"""Google's messages, by our file."""


def test_the_generated_modules_are_current(tmp_path: Path) -> None:
    generate(tmp_path)
    for folder in FOLDERS:
        generated = sorted((tmp_path / folder).iterdir())
        committed = sorted((ROOT / folder).glob("*_pb2*.py*"))
        assert [path.name for path in generated] == [path.name for path in committed]
        for path in generated:
            assert path.read_text() == (ROOT / folder / path.name).read_text(), f"{path.name}: run `make docs`"


def messages() -> Iterator[Descriptor]:
    waiting = [message for file in GOOGLES for message in file.message_types_by_name.values()]
    while waiting:
        waiting += (found := waiting.pop()).nested_types
        yield found


def of_google(own: Descriptor) -> Descriptor:
    """Google's message of the same name without its package, such as `StructuredQuery.Filter`."""
    name = short_name(own)
    if name == "Status":
        return status_pb2.Status.DESCRIPTOR
    outer, *inner = name.split(".")
    (module,) = [module for module in GOOGLES[own.file] if outer in module.__protobuf__.manifest]
    found = getattr(module, outer).pb().DESCRIPTOR
    for part in inner:
        found = found.nested_types_by_name[part]
    return found


def short_name(of: Descriptor) -> str:
    return of.full_name.removeprefix(f"{of.file.package}.")


def on_the_wire(field: FieldDescriptor) -> tuple[object, ...]:
    """Everything of a field that decides on its bytes, and its alternatives."""
    message = field.message_type
    is_known = message and message.full_name.startswith("google.protobuf")
    return (
        field.name,
        field.number,
        field.type,
        field.is_repeated,
        field.containing_oneof and field.containing_oneof.name,
        message.full_name if is_known else message and short_name(message),
    )


@pytest.mark.parametrize("own", list(messages()), ids=short_name)
def test_a_message_is_read_and_written_as_googles(own: Descriptor) -> None:
    googles = of_google(own)
    for field in own.fields:
        assert on_the_wire(field) == on_the_wire(googles.fields_by_name[field.name])
    for enum in own.enum_types:
        googles_numbers = {value.name: value.number for value in googles.enum_types_by_name[enum.name].values}
        assert {value.name: value.number for value in enum.values}.items() <= googles_numbers.items()
