"""A journey of two steps, explained in the terminal."""

import json

import pytest

from tests.support.journeys import JOURNEY, banner_of, feedback, journey


@pytest.fixture(scope="module")
def banner(tmp_path_factory):
    return banner_of(tmp_path_factory.mktemp("banner"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory, banner):
    """The store of a user who did not answer the banner, got the e-mail, and then clicked the banner."""
    return journey(
        tmp_path_factory.mktemp("kept"), feedback(banner, 35, "clicked"), days=36, keep_store=True
    ).folder


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / "journey.yaml"
    path.write_text(JOURNEY)
    return str(path)


def words(text):
    """The words of a page, without its branches."""
    return " ".join("".join(char if char.isascii() else " " for char in text).split())


@pytest.mark.parametrize("moment", ["feedback.absent", "feedback.absent@3d:annual_banner"])
def test_the_email_is_explained_with_the_trigger_that_it_follows(run, kept, banner, moment):
    told = words(run("explain", "u", "--store", str(kept), "--moment", moment).stdout)
    assert "feedback.absent@3d in inbox annual_email (annual_reminder): issued" in told
    assert f"follows: {banner}" in told


def test_the_page_of_the_user_tells_both_steps(run, kept):
    told = words(run("show", "u", "--store", str(kept)).stdout)
    assert "annual_email revoked: no longer true until 2026-02-13 00:00 no feedback" in told
    assert "annual_email: annual_reminder in inbox (feedback.absent@3d)" in told
    assert "(feedback.clicked)" in told


def test_a_follow_up_that_never_came_is_decided_as_if_it_came_now(run, kept, catalog):
    asked = ("explain", "u", "--store", str(kept), "--catalog", catalog, "--json", "--moment")
    told = json.loads(run(*asked, "feedback.clicked:annual_email").stdout)
    assert told["untrue"] == "the trigger of annual_email that it follows was revoked (moment)"
    (candidate,) = told["candidates"]
    assert (candidate["campaign_id"], candidate["reason"]) == ("annual_help", "cool_down")


def test_a_follow_up_of_an_offer_that_was_never_made_says_so(run, kept, catalog):
    asked = ("explain", "u", "--store", str(kept), "--catalog", catalog, "--json", "--moment")
    told = json.loads(run(*asked, "feedback.dismissed:annual_help").stdout)
    assert told["untrue"] == "the trigger of annual_help that it follows was not answered"
    assert told["candidates"] == []
    told = json.loads(run(*asked, "feedback.dismissed").stdout)
    assert told["untrue"] == "no trigger of any campaign is known that it could follow"


def test_a_moment_without_its_campaign_or_with_another_is_a_usage_error(run, kept):
    done = run("explain", "u", "--store", str(kept), "--moment", "renewed:annual_banner")
    assert done.exit_code == 2
    assert (
        "renewed without a campaign (only feedback.absent, feedback.clicked, feedback.dismissed have one)"
        in done.stderr
    )
