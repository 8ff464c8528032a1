"""The console in a browser: what only a browser shows."""

from datetime import timedelta

import orjson
import pytest

from infra.console.letters import LoggedLetters
from infra.raw.follower import RECENT
from tests.infra.console.test_dead_letters import letter
from tests.support import consoles
from tests.support.browser import browser, faults, opened
from tests.support.consoles import NOW, land

pytestmark = pytest.mark.slow
MARKUP = "<img src=x onerror=alert(1)>"
PATHS = ("/", "/dead-letters", "/dead-letters/LETTER", "/try", "/try?kind=payment.failed", "/try/time", "/nothing")
MOST_LINES = 200


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "raw"


@pytest.fixture
def address(folder):
    folder.mkdir()
    with consoles.served(consoles.sources(folder)) as base:
        yield base


def event(user, **more):
    return {"event_id": "e", "user_id": user, "occurred_at": "2026-03-01T09:00:00Z", "outcome": "failed"} | more


def users(page):
    return page.locator(".lines .user").all_text_contents()


def eventually_shows(page, text):
    page.get_by_text(text).first.wait_for(timeout=20_000)


@pytest.fixture
def letter_id(folder):
    land(
        folder,
        "dead-letter",
        letter(orjson.dumps(event(MARKUP, amount=1.5)), detail=f"user_id: expected {MARKUP * 9}"),
    )
    land(folder, "payment", event("ada"), event(MARKUP, plan=MARKUP * 20), event("x" * 200), b"\xff" * 300)
    land(folder, "upsell-trigger", {"kind": "revoked"})
    [found] = LoggedLetters(folder).letters().readable
    return found.id


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 1600])
def test_no_page_has_faults_on_any_screen(chromium, address, letter_id, scheme, width):
    settings = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for path in PATHS:
        if path == "/nothing":
            page = chromium.new_page(**settings)
            page.goto(address + path)
            assert faults(page) == []
            page.close()
            continue
        with opened(chromium, **settings) as page:
            page.goto(address + path.replace("LETTER", letter_id))
            for folded in page.locator("details").all()[:5]:
                folded.evaluate("it => it.open = true")
            assert (path, faults(page)) == (path, [])


def test_new_messages_appear_at_the_top_by_themselves(chromium, address, folder):
    land(folder, "payment", event("first"))
    with opened(chromium) as page:
        page.goto(address)
        eventually_shows(page, "Following")
        assert users(page) == ["first"]
        land(folder, "payment", event("second"))
        land(folder, "dead-letter", letter())
        page.locator(".line.dead-letter").wait_for()
        page.get_by_role("link", name="second").wait_for()
        assert [user for user in users(page) if user != ""][-2:] == ["second", "first"]


def test_the_filter_holds_for_what_comes_later(chromium, address, folder):
    with opened(chromium) as page:
        page.goto(address)
        page.get_by_role("textbox", name="User").fill("eve")
        page.get_by_role("button", name="Show").press("Enter")
        eventually_shows(page, "Following")
        land(folder, "payment", event("ada"), event("eve"), event("ada"))
        page.locator(".line").first.wait_for()
        assert users(page) == ["eve"]


def test_a_pause_holds_the_page_and_ends_without_a_gap(chromium, address, folder):
    with opened(chromium) as page:
        page.goto(address)
        eventually_shows(page, "Following")
        page.get_by_role("button", name="Pause").click()
        land(folder, "payment", event("meanwhile"))
        page.wait_for_timeout(2500)
        assert users(page) == []
        page.get_by_role("button", name="Go on").click()
        eventually_shows(page, "meanwhile")
        land(folder, "payment", event("later"))
        eventually_shows(page, "later")
        assert users(page) == ["later", "meanwhile"]


def test_a_flood_leaves_a_bounded_page(chromium, address, folder):
    with opened(chromium) as page:
        page.goto(address)
        eventually_shows(page, "Following")
        for wave in range(4):
            at = NOW + timedelta(seconds=wave)
            land(folder, "payment", *[event(f"wave{wave}")] * (RECENT + 10), at=at)
            eventually_shows(page, f"wave{wave}")
            assert page.locator(".lines > li").count() <= MOST_LINES
        eventually_shows(page, "more came in between")


def test_a_log_that_begins_anew_clears_the_page(chromium, address, folder):
    land(folder, "payment", event("before"))
    with opened(chromium) as page:
        page.goto(address)
        eventually_shows(page, "Following")
        (folder / "payment.jsonl").unlink()
        land(folder, "payment", event("after"))
        eventually_shows(page, "after")
        assert users(page) == ["after"]


def test_without_scripts_a_page_is_loaded_again(chromium, address, folder):
    with opened(chromium, java_script_enabled=False) as page:
        page.goto(address)
        land(folder, "payment", event("ada"))
        page.get_by_role("link", name="load again").click()
        assert users(page) == ["ada"]
        assert page.get_by_role("button", name="Pause").count() == 0


def test_everything_is_reached_by_the_keyboard(chromium, address, folder):
    land(folder, "payment", event("ada"))
    with opened(chromium) as page:
        page.goto(address)
        eventually_shows(page, "Following")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        reached = []
        for _ in range(8):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")
            )
        assert reached == ["topic", "user", "outcome", "Show", "Show all", "Pause", "ada", "JSON"]
        page.keyboard.press("Enter")
        assert page.locator("details pre").first.is_visible()


def test_markup_never_becomes_an_element_also_when_it_comes_live(chromium, address, folder):
    with opened(chromium) as page:
        page.goto(address)
        eventually_shows(page, "Following")
        land(folder, "payment", event(MARKUP, plan=MARKUP, **{MARKUP: MARKUP}))
        eventually_shows(page, MARKUP)
        assert page.locator("img").count() == 0


def test_an_event_is_tried_from_its_sample_to_its_fate(chromium, address):
    with opened(chromium) as page:
        page.goto(f"{address}/try")
        page.get_by_label("What happens").select_option("payment.failed")
        page.get_by_label("To which user").fill("ada")
        page.get_by_role("button", name="Fill in a sample").click()
        page.get_by_label("amount").fill("10.99")
        page.get_by_role("button", name="Check it").click()
        assert page.get_by_label("amount").get_attribute("aria-invalid") == "true"
        page.get_by_label("amount").fill("1099")
        page.get_by_role("button", name="Check it").click()
        eventually_shows(page, "It would be accepted: payment failed")


def test_faults_are_found(chromium):
    page = chromium.new_page(viewport={"width": 400, "height": 800})
    page.set_content(
        '<h2 style="color: #999; background: #fff">pale</h2><h4>deep</h4><input name="nameless"><button></button>'
        '<main><p style="width: 900px">wide</p></main><table><th>head</th></table><i id="a"></i><i id="a"></i>'
    )
    found = "\n".join(faults(page))
    page.close()
    for fault in (
        "wider",
        "contrast of 2.8",
        "not one h1",
        "an h4 after",
        "no label",
        "no scope",
        "no name",
        "twice",
    ):
        assert fault in found
