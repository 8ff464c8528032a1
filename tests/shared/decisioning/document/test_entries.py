"""Entries become one catalog, and each mistake is found at its entry."""

from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.load import DEFAULT_CATALOG
from infra.strict_yaml import read_yaml
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.entries import MAX_ENTRIES, SECTIONS, SETTINGS, Entry, Mistake, assemble
from shared.decisioning.document.schema import CatalogDocument

SHIPPED = read_yaml(DEFAULT_CATALOG.read_bytes())


def entries_of(content):
    for section, value in content.items():
        if section in SECTIONS:
            yield from (Entry(section, id_, fields, f"{section}/{id_}") for id_, fields in value.items())
        else:
            yield Entry(SETTINGS, section, {section: value}, f"settings/{section}")


@given(st.permutations([*entries_of(SHIPPED)]))
def test_entries_in_any_order_are_the_catalog_that_one_file_has(entries):
    assembled = assemble(entries)
    assert assembled.mistakes == []
    assert compile_catalog(assembled.content).version == compile_catalog(SHIPPED).version


def test_every_section_of_a_catalog_has_its_entries():
    settings = {"kill_switch", "time_zone", "milestones"}
    assert {*SECTIONS} | settings == {*CatalogDocument.model_fields}


def test_a_problem_is_located_at_its_entry_and_one_of_none_nowhere():
    assembled = assemble([Entry("offers", "any", {}, "here"), Entry(SETTINGS, "", {"kill_switch": 1}, "there")])
    problems = ["offers.any.cms_ref: expected a value", "kill_switch: expected true", "catalog: too large"]
    problems += ["offers.other: expected", "offers: expected", "offers.any[0]: expected"]
    assert [each.place for each in assembled.located(problems)] == ["here", "there", "", "", "", "here"]


def test_a_second_entry_of_one_id_is_a_mistake_and_the_first_counts():
    first, second = (Entry("offers", "any", {"cms_ref": one}, one) for one in "ab")
    assembled = assemble([first, second])
    assert assembled.content == {"offers": {"any": {"cms_ref": "a"}}}
    assert assembled.mistakes == [Mistake("b", "offers.any: expected each id once, found one here and one at a")]


def test_settings_are_known_and_said_once():
    entries = [
        Entry(SETTINGS, "", fields, place)
        for fields, place in (({"kil_switch": 1}, "a"), ({"time_zone": "UTC"}, "b"), ({"time_zone": "UTC"}, "c"))
    ]
    assert assemble(entries).mistakes == [
        Mistake(
            "a", "settings.kil_switch: expected one of kill_switch, time_zone, milestones (kill_switch?), found 1"
        ),
        Mistake("c", "settings.time_zone: expected each setting once, found one here and one at b"),
    ]


def test_more_entries_than_a_catalog_can_have_are_a_mistake():
    many = [Entry("offers", str(number), {}, "x") for number in range(MAX_ENTRIES + 1)]
    (mistake,) = assemble(many).mistakes
    assert mistake.problem == f"catalog: expected at most {MAX_ENTRIES} entries, found {MAX_ENTRIES + 1}"
