from rich.console import Console

from infra.whatif.page import page
from infra.whatif.result import BeforeAfter, CampaignEffect, Cause, Effect, Example, PlacementEffect, WhatIf
from infra.whatif.study import NEW_CAMPAIGN, NOT_CONSIDERED, REMOVED_CAMPAIGN

NONE = BeforeAfter(0, 0)
NO_EFFECT = Effect()


def effect(*causes, users=2, examples=()):
    return Effect(sum(cause.triggers for cause in causes), users, causes, examples)


def study(dead_lettered=NONE, **campaigns):
    placements = {"banner": PlacementEffect(BeforeAfter(1000, 900), BeforeAfter(10, 10))}
    return WhatIf(BeforeAfter(1000, 900), BeforeAfter(10, 10), NONE, dead_lettered, placements, campaigns)


def told(**facts):
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(page(study(**facts)))
    return " ".join(captured.get().split())


def campaign(appear=NO_EFFECT, vanish=NO_EFFECT, change=NO_EFFECT):
    return CampaignEffect(BeforeAfter(5, 6), 3, appear, vanish, change)


def test_totals_are_told_with_their_difference_where_there_is_one():
    text = told()
    assert "triggers issued 1,000 900 -100 banner 1,000 900 -100 users reached 10 10 banner 10 10" in text
    assert "dead letters" not in text


def test_refused_events_are_told_where_they_differ():
    assert "dead letters 0 3 +3" in told(dead_lettered=BeforeAfter(0, 3))


def test_where_nothing_differs_that_is_said():
    assert told(same=campaign()).endswith("Every trigger is the same.")


def test_what_no_gate_said_is_told_in_words():
    text = told(
        new=campaign(appear=effect(Cause(NEW_CAMPAIGN, None, 4))),
        old=campaign(vanish=effect(Cause(REMOVED_CAMPAIGN, None, 4))),
        deaf=campaign(vanish=effect(Cause(NOT_CONSIDERED, None, 4))),
        same=campaign(),
    )
    assert "4 appear, for 2 users. Reason in the catalog before: 4 the campaign is new" in text
    assert "4 vanish, for 2 users. Reason in the catalog after: 4 the campaign was removed" in text
    assert "4 the campaign does not react to the moment, or the moment does not occur" in text
    assert "1 other campaign: every trigger is the same" in text


def test_the_most_frequent_causes_are_named_and_the_others_counted():
    causes = [Cause("audience", f"clause-{number}", 10 - number) for number in range(7)]
    text = told(one=campaign(vanish=effect(*causes, users=1)))
    assert "49 vanish, for 1 user." in text
    assert "7 audience (clause-3) 15 for other reasons" in text
    assert "clause-4" not in text


def test_a_change_is_told_with_an_example_and_markup_as_it_is():
    example = Example("t", "u", "2026-01-01T00:00:00Z", "renewed", "variant", "[a] -> [b]")
    text = told(one=campaign(change=effect(Cause("variant", "[a] -> [b]", 1), examples=(example,))))
    cause, shown = "variant ([a] -> [b])", "e.g. u 2026-01-01 00:00 renewed: variant ([a] -> [b])"
    assert f"1 change, for 2 users. What differs: 1 {cause} {shown}" in text
