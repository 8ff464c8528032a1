"""Every message of a replay matches its contract: the pydantic model and the published JSON Schema."""

from pathlib import Path

import jsonschema
import orjson
import pytest

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow, story
from infra.generate.asyncapi import DOCS
from infra.replay.journal import FILES
from infra.replay.replay import replay
from shared.contracts.outbound.base import Outbound
from shared.contracts.outbound.dead_letter import DeadLetter
from shared.contracts.outbound.decision import DecisionMessage
from shared.contracts.outbound.exposure import Exposure, ExposureKind
from shared.contracts.outbound.subscription_change import SubscriptionChange
from shared.contracts.outbound.upsell_trigger import UpsellTrigger
from tests.support.replays import GARBAGE, feedback

pytestmark = pytest.mark.slow

MODELS = (UpsellTrigger, SubscriptionChange, DecisionMessage, Exposure, DeadLetter)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a second replay of one history, with feedback on the triggers of the first replay."""
    folder = tmp_path_factory.mktemp("messages")
    lines = [*list(cdnow.events())[:400], *story.load().events, *GARBAGE]
    for telling in ("first", "second"):
        (folder / "events.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        replay(folder / "events.jsonl", folder / telling, DEFAULT_CATALOG, processes=1)
        triggers = (folder / telling / FILES[UpsellTrigger.TOPIC]).read_text().splitlines()
        lines += feedback(map(orjson.loads, triggers))
    return folder / "second"


def written(out: Path, model: type[Outbound]) -> list[str]:
    return (out / FILES[model.TOPIC]).read_text().splitlines()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.TOPIC)
def test_a_message_is_what_its_contract_says(out: Path, model: type[Outbound]) -> None:
    schema = jsonschema.Draft202012Validator(orjson.loads((DOCS / f"{model.TOPIC}.schema.json").read_text()))
    assert written(out, model)
    for line in written(out, model):
        schema.validate(orjson.loads(line))
        assert model.model_validate_json(line).message_id


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.TOPIC)
def test_a_message_is_what_its_model_would_write(out: Path, model: type[Outbound]) -> None:
    """The message equals the model's JSON, except that the message omits fields that are null."""
    for line in written(out, model):
        said = orjson.loads(line)
        read = model.model_validate_json(line)
        assert read.model_dump(mode="json", exclude_unset=True) == {
            name: value
            for name, value in said.items()
            if name in (*model.model_fields, *model.model_computed_fields)
        }
        assert said.keys() - read.model_dump().keys() <= {"line"}, "only a dead letter of a replay says more"
        unsaid = {name: value for name, value in read.model_dump().items() if name not in said}
        assert not any(unsaid.values())


def test_exposures_of_every_kind_are_among_them(out: Path) -> None:
    kinds = {orjson.loads(line)["kind"] for line in written(out, Exposure)}
    assert kinds == set(ExposureKind)
