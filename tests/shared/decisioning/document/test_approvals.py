"""The two-person rule: a catalog is approved if others than their authors approved all its changes, else not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.decisioning.document.approvals import changes, is_same_person
from shared.decisioning.document.entries import SECTIONS, Entry, assemble

NAMES = st.sampled_from([None, "", "ada", " Ada ", "bob"])
IDS = st.sampled_from(["a", "b", "c"])
FIELDS = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 1))


@st.composite
def catalogs(draw):
    """Entries, each id once in its section, and perhaps the settings."""
    keys = draw(st.sets(st.tuples(st.sampled_from(SECTIONS[:2]), IDS)))
    entries = [Entry(*key, draw(FIELDS), f"at/{key}", draw(NAMES), draw(NAMES)) for key in sorted(keys)]
    if draw(st.booleans()):
        said = draw(st.dictionaries(st.sampled_from(["kill_switch", "time_zone"]), st.integers(0, 1)))
        entries.append(Entry("settings", "settings", said, "at/settings", draw(NAMES), draw(NAMES)))
    return entries


def content(entries):
    return assemble(entries).content


@settings(max_examples=50)
@given(catalogs())
def test_where_nothing_changes_nobody_has_to_approve(entries):
    found = changes(content(entries), content(entries), entries)
    assert (found.entries, found.removes, found.approvers) == ((), False, ())


@settings(max_examples=50)
@given(catalogs(), catalogs())
def test_it_is_approved_if_every_change_is_and_nothing_is_gone(before, after):
    found = changes(content(before), content(after), after)
    old, new = ({(one.section, one.id): one.fields for one in entries} for entries in (before, after))
    changed = [
        one
        for one in after
        if old.get((one.section, one.id), {} if one.section == "settings" else None) != one.fields
    ]
    gone = any(fields or key[0] != "settings" for key, fields in old.items() if key not in new)
    assert [*found.entries] == changed
    assert found.removes == gone
    approved = all(
        one.author and one.approved_by and one.author.strip().lower() != one.approved_by.strip().lower()
        for one in changed
    )
    assert bool(found.approvers) == bool(approved and changed and not gone)


@settings(max_examples=50)
@given(catalogs())
def test_a_stored_catalog_that_is_none_is_wholly_changed(entries):
    for stored in ({}, {"offers": 5}, {"channels": None}):
        found = changes(stored, content(entries), entries)
        assert [*found.entries] == [one for one in entries if one.fields or one.section != "settings"]
        assert not found.removes


def test_a_name_is_one_person_however_it_is_written():
    assert is_same_person(" Ada@Example.com", "ada@example.com ")
    assert is_same_person("STRASSE", "straße")
    assert not is_same_person("ada", "bob")
