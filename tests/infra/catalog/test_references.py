from infra.catalog.references import behind, references, winning_order

DOCUMENT = {
    "placements": {"banner": {"channel": "in_app", "fallback": "plain"}, "email": {"channel": "email"}},
    "offers": {"plain": {"cms_ref": "offers/plain"}, "half": {"cms_ref": "x"}, "double": {"cms_ref": "y"}},
    "audiences": {"risky": {"all": [{"likely": "has(scores.churn) && scores.churn > 0.5"}]}},
    "scores": {"churn": {"artifact": "churn@1"}},
    "milestones": {"lapsed": [7, 30], "trial.ending": [3]},
    "experiments": {"price": {"variants": [{"id": "a", "offer": "half"}, {"id": "b", "offer": None}]}},
    "campaigns": {
        "one": {
            "offer": "double",
            "placement": "banner",
            "moments": ["lapsed@7", "renewed"],
            "priority": 10,
            "audience": "risky",
            "experiment": "price",
        },
        "two": {"offer": "gone", "placement": "banner", "moments": ["renewed"], "priority": 20},
        "three": {"offer": "half", "placement": "banner", "moments": ["renewed"], "priority": 10},
    },
}


def test_a_campaign_rests_on_all_that_it_names_and_on_what_those_name():
    assert behind(DOCUMENT, ("campaigns", "one")) == {
        ("offers", "double"),
        ("offers", "half"),
        ("offers", "plain"),
        ("placements", "banner"),
        ("audiences", "risky"),
        ("scores", "churn"),
        ("milestones", "lapsed"),
        ("experiments", "price"),
    }


def test_what_is_not_in_the_catalog_is_referred_to_by_nobody():
    assert ("offers", "gone") not in behind(DOCUMENT, ("campaigns", "two"))
    assert behind(DOCUMENT, ("campaigns", "nowhere")) == set()


def test_a_list_of_campaigns_refers_to_each():
    assert [*references(DOCUMENT, {"campaigns": ["two", "one"]})] == [("campaigns", "two"), ("campaigns", "one")]


def test_the_higher_priority_wins_first_then_the_lower_id():
    assert winning_order(DOCUMENT) == {"banner": ["two", "one", "three"], "email": []}


def test_among_those_of_one_priority_the_higher_rank_wins_and_a_score_counts_as_none():
    ranked = {
        "scored": {"placement": "email", "priority": 1, "rank": {"score": "churn"}},
        "high": {"placement": "email", "priority": 1, "rank": 0.5},
        "other": {"placement": "email", "priority": 1},
    }
    document = {"placements": {"email": {}}, "campaigns": ranked}
    assert winning_order(document) == {"email": ["high", "other", "scored"]}


def test_entries_that_refer_to_each_other_do_not_go_on_for_ever():
    document = {"campaigns": {"a": {"campaigns": ["b"]}, "b": {"campaigns": ["a"]}}}
    assert behind(document, ("campaigns", "a")) == {("campaigns", "b")}
