"""The message of `upsell-trigger` as the delivery of e-mail reads it."""

import json
from typing import Any

import pytest

from infra.topology import ROOT
from shared.contracts.inbound.envelope import Delivery
from shared.domain.errors import Rejected
from shared.mail.trigger import read_trigger

EXAMPLES = ROOT / "docs" / "contracts" / "examples" / "upsell-trigger"


def read(body: object) -> Any:
    return read_trigger(Delivery(json.dumps(body).encode(), {}))


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_of_the_contract_is_read(example: Any) -> None:
    body = json.loads(example.read_text())
    found = read(body)
    assert (found.kind, found.trigger_id, found.sequence) == (body["kind"], body["trigger_id"], body["sequence"])
    assert found.expires_at.isoformat() == body["expires_at"].replace("Z", "+00:00")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "withdrawn"),
        ("trigger_id", "../users/ada"),
        ("trigger_id", ".."),
        ("trigger_id", "a\r\nb"),
        ("trigger_id", "a" * 129),
        ("user_id", ""),
        ("user_id", "a/b"),
        ("user_id", "a b"),
        ("sequence", "7"),
        ("sequence", 0),
        ("expires_at", "2026-04-22T09:31:06"),
        ("expires_at", "tomorrow"),
        ("placement", None),
        ("cms_ref", 5),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(name: str, value: Any) -> None:
    body = json.loads((EXAMPLES / "issued.json").read_text())
    with pytest.raises(Rejected, match=rf"invalid: {name}: expected") as error:
        read(body | {name: value})
    assert not value or str(value) not in error.value.detail


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{", b'{"kind": "issued"}'])
def test_what_is_no_trigger_is_rejected(data: bytes) -> None:
    with pytest.raises(Rejected):
        read_trigger(Delivery(data, {}))
