"""Every message of a replay is what its contract says: the model, and the JSON Schema in the documents."""

from pathlib import Path

import jsonschema
import orjson
import pytest

from infra.catalog_file import DEFAULT_CATALOG
from infra.contracts_docs import DOCS
from infra.demo import cdnow, story
from infra.local.journal import FILES
from infra.local.replay import replay
from shared.contracts.messages import DeadLetter, DecisionMessage, SubscriptionChange, UpsellTrigger
from shared.contracts.outbound import Outbound

MODELS = (UpsellTrigger, SubscriptionChange, DecisionMessage, DeadLetter)
GARBAGE = [{"topic": "payment", "data": {"event_id": "x"}}, {"topic": "payment", "data_base64": "/w=="}]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messages")
    lines = [*list(cdnow.events())[:400], *story.load().events, *GARBAGE]
    (folder / "events.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    replay(folder / "events.jsonl", folder / "out", DEFAULT_CATALOG, processes=1)
    return folder / "out"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.TOPIC)
def test_a_message_is_what_its_contract_says(out: Path, model: type[Outbound]) -> None:
    schema = jsonschema.Draft202012Validator(orjson.loads((DOCS / f"{model.TOPIC}.schema.json").read_text()))
    lines = (out / FILES[model.TOPIC]).read_text().splitlines()
    assert lines
    for line in lines:
        schema.validate(orjson.loads(line))
        assert model.model_validate_json(line).message_id
