import re
from pathlib import Path

import pytest
import yaml

from shared.decisioning.compile import compile_catalog
from shared.decisioning.gates import Reason
from shared.decisioning.schema import CampaignTerms, Cap, CatalogDocument, Clauses, Offer, Placement
from shared.decisioning.scope import VARIABLES
from shared.domain.errors import InvalidCatalog
from shared.domain.events import BEHAVIOURAL
from shared.domain.moments import MomentKind
from tests.decisioning.builders import campaign, written

PAGE = (Path(__file__).parents[2] / "docs/catalog.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_is_a_valid_catalog() -> None:
    assert EXAMPLE
    assert compile_catalog(yaml.safe_load(EXAMPLE[1])).document.campaigns.keys() == {"annual_upgrade", "last_call"}


@pytest.mark.parametrize("part", [CatalogDocument, Placement, Offer, Clauses, CampaignTerms, Cap])
def test_the_example_shows_every_field(part: type[CatalogDocument]) -> None:
    assert EXAMPLE
    assert [name for name in part.model_fields if not re.search(rf"\b{name}:", EXAMPLE[1])] == []


def test_the_page_names_every_variable_of_a_clause() -> None:
    kinds = "|".join(BEHAVIOURAL)
    named = {re.sub(rf"^signals\.({kinds})\.", "signals.KIND.", name) for name in VARIABLES}
    assert [name for name in named if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("words", [MomentKind, Reason, BEHAVIOURAL])
def test_the_page_names_every_word_of_the_contract(words: type[Reason]) -> None:
    assert [word for word in words if f"`{word}`" not in PAGE] == []


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
