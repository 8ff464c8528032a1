"""The page of campaigns' funnels."""

import re

import pytest

from infra.console.catalogs import LoggedCatalogs
from infra.inspect.funnel import Funnels
from infra.raw.folder import RAW
from infra.raw.follower import Follower
from tests.infra.console.lived import live
from tests.support import consoles
from tests.support.consoles import land, text_of


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    return live(tmp_path_factory.mktemp("lived"))


def page(client):
    answer = client.get("/campaigns")
    assert answer.status_code == 200
    return answer.text


def test_the_page_tells_the_numbers_of_the_shared_counter(lived):
    counted = Funnels(None)
    follower = Follower(lived.folder / RAW, lambda: lambda message: counted.add(message.topic, message.body))
    follower.refresh()
    text = text_of(page(lived.client()))
    for one in counted.campaigns():
        if one.counts.considered:
            assert f"Of {one.counts.considered} considered" in text
    assert "payment_recovery 2 2 1 0 0 2" in text, "considered, issued, seen, accepted, converted, revoked"


def test_bars_are_as_long_as_the_shares(lived):
    html = page(lived.client())
    card = html[html.index('id="c-payment_recovery"') :].partition("</section>")[0]
    assert re.findall(r'class="b-(\w+)" width="([\d.]+)%"', card) == [
        ("issued", "100.0"),
        ("seen", "50.0"),
        ("lost", "100.0"),
    ]
    assert "revoked: moment" in card


def test_campaigns_that_no_decision_considered_are_named(lived):
    text = text_of(page(lived.client()))
    assert "Never considered, since none of their moments occurred: " in text
    assert "annual_upgrade" in text


def test_the_command_for_lift_names_the_folder_of_the_log(lived):
    assert f"upbeat report campaigns {lived.folder}" in text_of(page(lived.client()))


def test_new_messages_count_at_the_next_look(tmp_path):
    folder = tmp_path / RAW
    client = consoles.client(consoles.sources(folder))
    assert "No campaign was considered" in text_of(page(client))
    candidate = {"campaign_id": "c", "outcome": "lost", "reason": "audience"}
    land(folder, "decision", {"message_id": "d1", "candidates": [candidate]}, {"candidates": 1}, b"nothing")
    text = text_of(page(client))
    assert "Of 1 considered" in text
    assert "1 messages are not as the contracts describe them" in text


def test_markup_in_names_of_campaigns_and_reasons_is_text(tmp_path):
    folder = tmp_path / RAW
    name = "<script>alert(1)</script>"
    candidate = {"campaign_id": name, "outcome": "lost", "reason": name}
    trigger = {"kind": "issued", "campaign_id": name, "experiment_id": name, "variant": name, "message_id": "t"}
    land(folder, "decision", {"message_id": "d", "candidates": [candidate]})
    land(folder, "upsell-trigger", trigger)
    html = page(consoles.client(consoles.sources(folder)))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_where_there_is_no_raw_log_the_page_says_where_the_numbers_are(lived):
    sources = consoles.sources(catalogs=LoggedCatalogs(None, lived.folder))
    assert "There is no raw log to count here" in text_of(page(consoles.client(sources)))


def test_variants_and_holdout_stand_beside_each_other(tmp_path):
    folder = tmp_path / RAW
    of_a = {"campaign_id": "c", "experiment_id": "x", "variant": "a", "outcome": "issued"}
    of_b = of_a | {"variant": "b", "outcome": "lost", "reason": "variant"}
    held = {"campaign_id": "c", "outcome": "lost", "reason": "holdout", "holdouts": ["all"]}
    decisions = [{"message_id": f"d{n}", "candidates": [one]} for n, one in enumerate((of_a, of_a, of_b, held))]
    land(folder, "decision", *decisions)
    issued = {"kind": "issued", "campaign_id": "c", "experiment_id": "x", "variant": "a"}
    land(folder, "upsell-trigger", *({"message_id": f"t{n}", **issued} for n in range(2)))
    land(folder, "exposure", {"message_id": "e", "trigger_id": "t0", **issued, "kind": "clicked"})
    text = text_of(page(consoles.client(consoles.sources(folder))))
    assert "c, in experiment x" in text
    assert "Stage all a b not held out held out considered 4 2 1 3 1" in text
    assert "issued 2 (50%) 2 (100%) 0 (0%) 2 (67%) 0 (0%)" in text
    assert "clicked 1 (50%) 1 (50%) 0 1 (50%) 0" in text
