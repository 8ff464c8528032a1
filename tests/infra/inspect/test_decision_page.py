from rich.console import Console

from infra.inspect.decision_page import page

STATE = {
    "user_id": "u",
    "status": "active",
    "entitled": True,
    "plan": "premium",
    "auto_renew": None,
    "trial_ends_at": None,
    "period_end": None,
    "grace_until": None,
    "resume_at": None,
    "cancel_at": None,
}


def candidate(**facts):
    common = {
        "campaign_id": "thanks",
        "offer_id": "gift",
        "placement": "banner",
        "moment": "renewed",
        "cause": "c",
    }
    return {**common, "subscription_id": "main", "outcome": "issued", "reason": None, "detail": None, **facts}


def told(*candidates, moments=("renewed",), **facts):
    decision = {
        "decided_at": "2026-01-01T00:00:00Z",
        "catalog_version": "v1",
        "event": {"topic": "payment"},
        "moments": [*moments],
        "candidates": [*candidates],
        "outcome": "issued",
        **facts,
    }
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(page(STATE, decision, []))
    return captured.get()


def test_whatever_else_is_on_record_of_a_candidate_is_told_by_its_name():
    text = told(
        candidate(experiment_id="price", variant="b", propensity=0.5, score=None, counts=[{"max": 1, "count": 1}])
    )
    for line in ("experiment price: variant b, chosen with probability 0.5", "counts: max 1, count 1"):
        assert line in text
    assert "score" not in text


def test_a_decision_without_features_says_why():
    assert "Decided without some features" not in told(candidate())
    text = told(candidate(), features_missing=["features.value has no value", "and 2 more"])
    assert "Decided without some features: features.value has no value; and 2 more" in text


def test_what_is_not_so_is_not_told_and_an_arm_without_an_offer_is_told_as_nothing():
    text = told(candidate(offer_id=None, suppressed=False))
    assert "thanks (nothing): issued" in text
    assert "suppressed" not in text


def test_a_text_that_looks_like_markup_is_told_as_it_is():
    assert "stopped: not in its audience (x in [y])" in told(
        candidate(outcome="lost", reason="audience", detail="x in [y]")
    )


def test_a_moment_that_only_candidates_name_is_told_too():
    text = told(candidate(moment="lapsed"), moments=())
    assert "lapsed" in text


def test_each_placement_is_told_once_with_its_candidates_by_rank():
    text = told(candidate(), candidate(campaign_id="mail", placement="email"), candidate(campaign_id="last"))
    assert text.count("in banner") == 1
    assert text.index("thanks") < text.index("last") < text.index("in email") < text.index("mail")
