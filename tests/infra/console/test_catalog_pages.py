"""The pages of the catalog: in force, history, differences, and what another one would have done."""

import re
import time
from datetime import timedelta
from html import unescape

import pytest
import yaml

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.catalog.references import winning_order
from infra.console import what_if_run
from infra.console.catalogs import LoggedCatalogs
from infra.console.what_if_run import last_lives, sorted_lines
from infra.errors import UsageError
from infra.raw.folder import RAW
from infra.raw.follower import Follower
from infra.replay.switch import Switch
from tests.infra.console.lived import LINES, NOW, Lived
from tests.support import consoles, replays
from tests.support.consoles import land, text_of
from tests.support.replays import START

MARKUP = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """The shipped catalog with a lower cap and another order."""
    text = DEFAULT_CATALOG.read_text().replace("priority: 100", "priority: 1").replace("max: 4", "max: 1")
    file = tmp_path_factory.mktemp("catalog") / "other.yaml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def lived(tmp_path_factory, other):
    """A replay in which the other catalog takes over."""
    folder = tmp_path_factory.mktemp("lived")
    switch = Switch(DEFAULT_CATALOG, other, START + timedelta(days=20))
    return Lived(replays.run(folder, *LINES, catalog=switch, keep_store=True, now=NOW).folder)


@pytest.fixture
def client(lived):
    return lived.client()


@pytest.fixture
def versions(other):
    return load_catalog().version, load_catalog(other).version


def page(client, path, status=200, **params):
    answer = client.get(path, params=params or None)
    assert answer.status_code == status, text_of(answer.text)
    return unescape(answer.text)


def test_the_catalog_of_the_log_is_in_force_not_the_one_given(client, versions):
    assert f"In force: {versions[1]}, number 1, since 2026-01-21 00:00:00 UTC, by replay" in text_of(
        page(client, "/catalog").replace("</strong>,", ",")
    )


def test_campaigns_are_told_placement_by_placement_in_winning_order(client, other):
    html = page(client, "/catalog")
    order = winning_order(load_catalog(other).document)
    assert sorted(re.findall(r'id="p-(\w+)"', html)) == sorted(order)
    for placement, campaigns in order.items():
        part = html[html.index(f'id="p-{placement}"') :].partition("</section>")[0]
        assert re.findall(r"<strong>(\w+)</strong>", part) == campaigns


def test_a_campaign_unfolds_to_its_fields_and_what_they_name(client):
    text = text_of(page(client, "/catalog"))
    assert "audience leaving_payers all of entitled subscription.entitled" in text


def test_every_publication_is_in_the_history_newest_first(client, versions):
    html = page(client, "/catalog")
    rows = re.findall(r'<a href="/catalog\?version=(\w+)">', html)
    assert rows == [*reversed(versions)]
    text = text_of(html)
    assert "changed campaigns.payment_recovery, campaigns.win_back" in text
    assert "the first one in the log" in text


def test_an_earlier_catalog_can_be_looked_at(client, versions):
    text = text_of(page(client, f"/catalog?version={versions[0]}"))
    assert f"{versions[0]} , which is not in force" in text.replace(f"{versions[0]},", f"{versions[0]} ,")


def test_the_difference_between_two_is_told_with_its_effects(client, versions):
    text = text_of(page(client, "/catalog/diff", before=versions[0], after=versions[1]))
    assert "~ payment_recovery changed priority 100 -> 1" in text
    assert "In email, win_back now wins over payment_recovery." not in text, "they share no moment"
    assert "The catalogs are the same." in text_of(
        page(client, "/catalog/diff", before=versions[0], after=versions[0])
    )


@pytest.mark.parametrize("path", ["/catalog/diff", "/catalog/diff?before=x&after=y", "/catalog/what-if?version=x"])
def test_a_catalog_that_nobody_published_is_told(client, path):
    assert "expected the version of a catalog in the raw log, found" in page(client, path, 404)


def test_a_version_that_nobody_published_leaves_the_page_standing(client):
    html = page(client, "/catalog", version=MARKUP)
    assert "expected the version of a catalog in the raw log, found" in html
    assert MARKUP not in client.get("/catalog", params={"version": MARKUP}).text


def test_a_replay_has_nothing_to_roll_back_and_takes_no_such_form(client, versions):
    assert "Roll back" not in page(client, "/catalog/diff", before=versions[1], after=versions[0])
    answer = client.post("/catalog/rollback", data={"version": versions[0], "replacing": "1"})
    assert (answer.status_code, "this console only reads" in answer.text) == (403, True)


def test_markup_in_a_catalog_is_text(tmp_path):
    document = yaml.safe_load(DEFAULT_CATALOG.read_text())
    document["offers"]["keep_listening"]["cms_ref"] = MARKUP
    document["audiences"]["leaving_payers"]["all"][0] = {"entitled": f"subscription.plan != '{MARKUP}'"}
    catalog = tmp_path / "odd.yaml"
    catalog.write_text(yaml.safe_dump(document))
    client = live_by(tmp_path, catalog).client()
    version = load_catalog(catalog).version
    for path in ("/catalog", f"/catalog/diff?before={version}&after={version}", "/catalog/what-if"):
        html = client.get(path).text
        assert MARKUP not in html
    assert MARKUP in unescape(client.get("/catalog").text)


def live_by(folder, catalog):
    return Lived(replays.run(folder, *LINES[:3], catalog=catalog, keep_store=True, now=NOW).folder)


class TestLoggedCatalogs:
    def test_without_a_log_the_file_is_in_force(self):
        catalogs = LoggedCatalogs(None, DEFAULT_CATALOG)
        [only] = catalogs.history()
        assert (only.in_force, only.version) == (True, load_catalog().version)
        assert catalogs.current().catalog == load_catalog()
        with pytest.raises(UsageError, match="expected the version of a catalog"):
            catalogs.catalog("0" * 16)

    def test_garbage_in_the_log_is_passed_over(self, tmp_path):
        land(tmp_path, "catalog-published", b"x", {}, {"catalog_version": 1}, {"catalog": {}, "published_at": "x"})
        assert len(LoggedCatalogs(tmp_path, DEFAULT_CATALOG).history()) == 1

    def test_a_catalog_that_this_version_refuses_is_told_and_shown_in_the_history(self, tmp_path):
        body = {
            "catalog_version": "0" * 16,
            "number": 1,
            "published_at": "2026-03-01T09:00:00Z",
            "catalog": {"campaigns": {"c": {"offer": "none"}}},
            "message_id": "m",
        }
        land(tmp_path, "catalog-published", body)
        client = consoles.client(consoles.sources(tmp_path))
        text = text_of(page(client, "/catalog"))
        assert f"This version of Upbeat cannot read the catalog in force, {'0' * 16}." in text
        assert "no catalog in force that could be compared" in page(client, "/catalog/what-if", 404)
        assert client.get("/users").status_code == 200

    def test_scores_beside_the_file_are_known(self):
        catalogs = LoggedCatalogs(None, DEFAULT_CATALOG)
        [(name, terms)] = load_catalog().document.scores.items()
        assert catalogs.current().catalog.library.score(name, terms.version).name == name


class TestWhatIf:
    def token(self, client):
        return re.search(r'name="token" value="([^"]+)"', client.get("/catalog/what-if").text)[1]

    def start(self, client, text, **more):
        return client.post("/catalog/what-if", data={"token": self.token(client), "catalog": text} | more)

    def written(self, client):
        html = client.get("/catalog/what-if").text
        return unescape(re.search(r"<textarea[^>]*>(.*)</textarea>", html, re.DOTALL)[1])

    def test_the_form_holds_the_catalog_in_force_as_people_write_it(self, client, other):
        assert load_catalog(other).document == load_text(self.written(client)).document

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "expected an object"),
            ("a: [", "expected"),
            ("a: 1\na: 2", "expected each key once, found a twice"),
            (f"offers: {MARKUP}", "offers: expected"),
            ("scores: {none: {version: 9}}", "scores.none.version: expected a valid scores/none.9"),
        ],
    )
    def test_a_catalog_with_problems_is_not_run_and_stays_in_the_form(self, client, text, problem):
        answer = self.start(client, text)
        assert answer.status_code == 422
        assert problem in unescape(answer.text)
        assert MARKUP not in answer.text
        assert text in unescape(answer.text)

    def test_it_needs_the_token_but_not_write(self, client):
        assert client.post("/catalog/what-if", data={"catalog": "x"}).status_code == 403
        assert client.post("/catalog/what-if", data={"token": "x", "catalog": "x"}).status_code == 403

    def test_a_study_that_is_not_kept_says_so(self, client):
        assert "no longer kept" in page(client, "/catalog/what-if/nothing", 404)

    @pytest.mark.slow
    def test_the_last_users_are_replayed_under_both_catalogs(self, client):
        text = self.written(client).replace("max: 1", "max: 4")
        text = text.replace("  payment_recovery:\n", "  payment_recovery:\n    state: paused\n")
        answer = self.start(client, text)
        assert answer.status_code == 303
        path = answer.headers["location"]
        first = page(client, path)
        assert "of 3 users" in text_of(first)
        while 'http-equiv="refresh"' in (html := page(client, path)):
            time.sleep(0.2)
        told = text_of(html)
        assert "payment_recovery 2 before, 0 after" in told
        assert "2 vanish" in told
        assert "~ payment_recovery changed" in told

    @pytest.mark.slow
    def test_a_second_one_waits_its_turn_and_one_that_fails_says_why(self, client, monkeypatch):
        monkeypatch.setattr(what_if_run, "MOST_SECONDS", 0.001)
        path = self.start(client, self.written(client)).headers["location"]
        busy = self.start(client, self.written(client))
        if "another what-if is running" not in busy.text:
            assert busy.status_code == 303, "the first one had ended by then"
        while 'http-equiv="refresh"' in (html := page(client, path)):
            time.sleep(0.1)
        assert "it took more than 0.001 s and was stopped" in html

    def test_whole_lives_of_the_last_users_are_taken_up_to_the_bound(self, lived, monkeypatch):
        log = Follower(lived.folder / RAW)
        log.refresh()
        lives = last_lives(log)
        assert {user: len(life) for user, life in lives.items()}["ada"] == 7
        lines = b"".join(sorted_lines(lives)).splitlines()
        assert len(lines) == len(LINES)
        monkeypatch.setattr(what_if_run, "MOST_EVENTS", 7)
        assert sum(map(len, last_lives(log).values())) <= 7

    def test_without_a_log_or_events_there_is_nothing_to_study(self, tmp_path):
        bare = consoles.client(consoles.sources())
        assert "There is no raw log here whose events could be replayed" in page(bare, "/catalog/what-if")
        (tmp_path / RAW).mkdir()
        empty = consoles.client(consoles.sources(tmp_path / RAW))
        answer = self.start(empty, self.written(empty))
        assert (answer.status_code, "holds no events" in answer.text) == (422, True)


def load_text(text):
    from infra.strict_yaml import read_yaml  # noqa: PLC0415 - of this test alone
    from shared.decisioning.compile import compile_catalog  # noqa: PLC0415

    return compile_catalog(read_yaml(text.encode()))


def test_a_publication_that_is_announced_again_is_one(tmp_path):
    body = {"catalog_version": "0" * 16, "number": 7, "published_by": "ada", "catalog": {}}
    land(tmp_path, "catalog-published", body)
    land(tmp_path, "catalog-published", body, at=consoles.NOW + timedelta(days=1), first=2)
    [only] = LoggedCatalogs(tmp_path, DEFAULT_CATALOG).history()
    assert (only.number, only.by, only.published_at, only.in_force) == (7, "ada", consoles.NOW, True)


def test_a_catalog_whose_policy_is_missing_is_shown_and_decides_all_the_same(tmp_path):
    content = yaml.safe_load(DEFAULT_CATALOG.read_text())
    [experiment] = content["experiments"].values()
    experiment["policy"] = "gone"
    for variant in experiment["variants"]:
        variant.pop("weight", None)
    body = {"catalog_version": "0" * 16, "number": 7, "catalog": content}
    land(tmp_path, "catalog-published", body)
    client = consoles.client(consoles.sources(tmp_path))
    assert "cannot read" not in page(client, "/catalog")
    catalog = LoggedCatalogs(tmp_path, DEFAULT_CATALOG).current().catalog
    assert catalog.library.score("churn_risk", 1).name == "churn_risk"
