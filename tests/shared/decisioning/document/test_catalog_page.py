import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from infra.strict_yaml import read_yaml
from infra.topology import ROOT
from shared.decisioning.audiences.facts import VARIABLES
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document import schema
from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.document.vocabulary import Strict
from shared.decisioning.gates import GATES
from shared.decisioning.losses import LossReason
from shared.domain.errors import InvalidCatalog
from shared.domain.events import BEHAVIOURAL, FeedbackKind
from shared.domain.moments import MomentKind
from tests.support.builders import campaign, written

PAGE = (ROOT / "docs/catalog.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


RENAMED = {"schedule": "state", "suppression": "suppressed", "caps": "cap", "quiet_hours": "deferred"}
"""Gates whose name differs from their reason."""
PARTS = [
    it for it in vars(schema).values() if isinstance(it, type) and issubclass(it, Strict) and it is not Strict
]


def example() -> CatalogDocument:
    assert EXAMPLE
    return compile_catalog(read_yaml(EXAMPLE[1].encode())).document


def parts_of(value: object) -> Iterator[BaseModel]:
    """Every part of a catalog within a value."""
    if isinstance(value, BaseModel):
        yield value
        value = [getattr(value, name) for name in type(value).model_fields]
    for it in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from parts_of(it)


def test_the_example_is_a_valid_catalog() -> None:
    assert example().campaigns.keys() == {"annual_upgrade", "stay"}


@pytest.mark.parametrize("part", PARTS)
def test_the_example_shows_every_field(part: type[BaseModel]) -> None:
    shown = {name for it in parts_of(example()) if type(it) is part for name in it.model_fields_set}
    assert part.model_fields.keys() - shown == set()


def test_the_page_names_every_variable_of_a_clause() -> None:
    kinds = "|".join(BEHAVIOURAL)
    named = {re.sub(rf"^signals\.({kinds})\.", "signals.KIND.", name) for name in VARIABLES}
    assert [name for name in named if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("words", [MomentKind, LossReason, BEHAVIOURAL, FeedbackKind])
def test_the_page_names_every_word_of_the_contract(words: type[LossReason]) -> None:
    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_the_page_tells_the_reasons_in_the_order_of_the_gates() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", PAGE.split("| reason |")[1].split("\n\n")[0], re.MULTILINE)
    told = [word for row in rows for word in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(LossReason)
    names = [gate.check.__name__ for gate in GATES]
    places = [told.index(reason) for name in names if (reason := RENAMED.get(name, name))]
    assert places == sorted(places)


def test_the_mistakes_it_shows_are_the_mistakes_one_gets() -> None:
    with pytest.raises(InvalidCatalog) as refused:
        compile_catalog(
            written(
                offers={"come_back": {"cms_ref": "x", "validity_hours": 1}},
                audiences={"loyal": {"all": [{"paid": "subscription.stauts == 'active'"}]}},
                campaigns={
                    "win_back": campaign(offer="come_bak"),
                },
            )
        )
    with pytest.raises(InvalidCatalog) as misspelt:
        compile_catalog(written(campaigns={"win_back": campaign(priorty=50)}))
    for problem in (*refused.value.problems, *misspelt.value.problems):
        assert f"{problem}\n" in PAGE
