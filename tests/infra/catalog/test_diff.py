from copy import deepcopy

import pytest

from infra.catalog.consequences import consequences
from infra.catalog.diff import DiffKind, FieldDiff, diff
from shared.decisioning.compile import compile_catalog

BEFORE = {
    "placements": {"banner": {"channel": "in_app"}, "email": {"channel": "email"}},
    "milestones": {"lapsed": [7]},
    "offers": {
        "half": {"cms_ref": "offers/half", "validity_hours": 72},
        "free": {"cms_ref": "offers/free", "validity_hours": 24},
    },
    "audiences": {
        "loyal": {
            "all": [
                {"active": "subscription.status == 'active'"},
                {"stays": "subscription.days_since_first_paid >= 100"},
            ]
        }
    },
    "campaigns": {
        "thanks": {
            "offer": "half",
            "placement": "banner",
            "moments": ["renewed"],
            "priority": 50,
            "audience": "loyal",
            "cap": {"max": 1, "window_days": 30},
        },
        "gift": {"offer": "free", "placement": "banner", "moments": ["renewed"], "priority": 40},
        "return": {"offer": "free", "placement": "email", "moments": ["lapsed"], "priority": 10},
    },
}


@pytest.fixture
def after():
    """A copy of the catalog to be changed."""
    return deepcopy(BEFORE)


def compared(after):
    return diff(compile_catalog(BEFORE), compile_catalog(after))


def follows(after):
    old, new = compile_catalog(BEFORE), compile_catalog(after)
    return consequences(diff(old, new), old, new)


def affected(after):
    return {it.campaign_id: it.by for it in follows(after).affected}


def test_a_catalog_and_itself_are_the_same(after):
    assert compared(after) == ()
    assert follows(after).affected == follows(after).reordered == ()


def test_a_default_written_out_and_another_order_of_keys_are_no_difference(after):
    after["campaigns"]["gift"] = dict(reversed(after["campaigns"]["gift"].items())) | {"cap": []}
    after["campaigns"] = dict(reversed(after["campaigns"].items()))
    after["kill_switch"] = False
    assert compared(after) == ()


def test_a_changed_field_is_told_by_its_path_with_both_values(after):
    after["campaigns"]["thanks"] |= {"cap": {"max": 2, "window_days": 30}, "priority": 60}
    (entry,) = compared(after)
    assert (entry.path, entry.kind) == ("campaigns.thanks", DiffKind.CHANGED)
    assert entry.fields == (FieldDiff("priority", 50, 60), FieldDiff("cap[0].max", 1, 2))


def test_a_field_left_out_before_is_not_set(after):
    after["offers"]["half"]["plan_to"] = "annual"
    assert compared(after)[0].fields == (FieldDiff("plan_to", None, "annual"),)


def test_an_added_entry_says_what_it_says_and_no_defaults(after):
    after["offers"]["more"] = {"cms_ref": "offers/more", "validity_hours": 5}
    (entry,) = compared(after)
    assert (entry.path, entry.kind) == ("offers.more", DiffKind.ADDED)
    assert entry.fields == (FieldDiff("cms_ref", None, "offers/more"), FieldDiff("validity_hours", None, 5))


def test_a_removed_entry_says_what_it_said(after):
    del after["campaigns"]["return"]
    (entry,) = compared(after)
    assert (entry.path, entry.kind) == ("campaigns.return", DiffKind.REMOVED)
    assert FieldDiff("moments", ["lapsed"], None) in entry.fields


def test_clauses_are_compared_by_name(after):
    after["audiences"]["loyal"]["all"] = [
        {"young": "subscription.period_days < 40"},
        {"stays": "subscription.days_since_first_paid >= 200"},
    ]
    (entry,) = compared(after)
    assert entry.fields == (
        FieldDiff("all.active", "subscription.status == 'active'", None),
        FieldDiff(
            "all.stays", "subscription.days_since_first_paid >= 100", "subscription.days_since_first_paid >= 200"
        ),
        FieldDiff("all.young", None, "subscription.period_days < 40"),
    )


def test_clauses_in_another_order_are_told_since_the_first_failing_one_is_the_reason(after):
    after["audiences"]["loyal"]["all"].reverse()
    assert compared(after)[0].fields == (FieldDiff("all (order)", ["active", "stays"], ["stays", "active"]),)


def test_a_list_that_grew_is_told_whole(after):
    after["campaigns"]["gift"]["moments"] = ["renewed", "activated"]
    assert compared(after)[0].fields == (FieldDiff("moments", ["renewed"], ["renewed", "activated"]),)


def test_a_setting_is_an_entry_without_an_id_and_affects_every_campaign(after):
    after["kill_switch"] = True
    (entry,) = compared(after)
    assert (entry.path, entry.id, entry.fields) == ("kill_switch", None, (FieldDiff("", False, True),))
    assert affected(after) == {None: ("kill_switch",)}


def test_entries_come_by_section_and_id(after):
    after["campaigns"]["gift"]["priority"] = 41
    after["offers"]["free"]["validity_hours"] = 25
    after["campaigns"]["return"]["priority"] = 11
    after["milestones"]["lapsed"] = [8]
    paths = [entry.path for entry in compared(after)]
    assert sorted(paths) == ["campaigns.gift", "campaigns.return", "milestones.lapsed", "offers.free"]
    assert paths.index("campaigns.return") == paths.index("campaigns.gift") + 1


def test_a_campaign_is_affected_by_what_it_rests_on_though_it_is_unchanged(after):
    after["offers"]["free"]["validity_hours"] = 25
    after["audiences"]["loyal"]["all"].pop()
    after["milestones"]["lapsed"] = [7, 30]
    after["placements"]["email"]["channel"] = "letter"
    assert affected(after) == {
        "gift": ("offers.free",),
        "return": ("milestones.lapsed", "offers.free", "placements.email"),
        "thanks": ("audiences.loyal",),
    }


def test_a_campaign_is_affected_by_a_feature_of_its_audience(after):
    after["features"] = {"worth": {"type": "number", "max_age_hours": 48}}
    after["audiences"]["loyal"]["all"].append({"worth": "features.worth > 1"})
    before = deepcopy(after)
    after["features"]["worth"]["max_age_hours"] = 72
    old, new = compile_catalog(before), compile_catalog(after)
    (changed,) = diff(old, new)
    assert (changed.path, changed.fields) == ("features.worth", (FieldDiff("max_age_hours", 48, 72),))
    affected_by = {one.campaign_id: one.by for one in consequences((changed,), old, new).affected}
    assert affected_by == {"thanks": ("features.worth",)}


def test_a_new_campaign_is_not_affected_it_is_told_as_new(after):
    after["campaigns"]["new"] = dict(after["campaigns"]["gift"], offer="more", priority=5)
    after["offers"]["more"] = {"cms_ref": "offers/more", "validity_hours": 5}
    assert affected(after) == {}


def test_who_wins_a_placement_first_is_told_where_it_is_another(after):
    after["campaigns"]["gift"]["priority"] = 60
    (reordered,) = follows(after).reordered
    assert (reordered.placement, reordered.before, reordered.after) == (
        "banner",
        ("thanks", "gift"),
        ("gift", "thanks"),
    )
    assert reordered.overtakes == (("gift", ("thanks",)),)


def test_campaigns_that_share_no_moment_do_not_win_over_each_other(after):
    after["campaigns"]["gift"] |= {"priority": 60, "moments": ["paused"]}
    assert follows(after).reordered == ()


def test_another_priority_in_the_same_order_reorders_nothing(after):
    after["campaigns"]["gift"]["priority"] = 49
    assert follows(after).reordered == ()
