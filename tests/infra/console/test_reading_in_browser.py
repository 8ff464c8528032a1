"""The pages of users, campaigns and the catalog in a browser: what only a browser shows."""

import pytest

from tests.infra.console.lived import LINES, ODD, live
from tests.support import consoles
from tests.support.browser import browser, faults, opened
from tests.support.replays import payment

pytestmark = pytest.mark.slow
PATHS = (
    "/users",
    "/users?q=a",
    "/users?q=<b>",
    "/users/ada",
    "/users/ada?moment=payment.failed&length=14+days",
    "/users/eve",
    "/campaigns",
    "/catalog",
    "/catalog/what-if",
)
BAND_CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  return [...document.querySelectorAll(".chart text.on")].map((text) => {
    const both = [text, text.parentElement.querySelector("rect")];
    const fills = both.map((one) => channels(getComputedStyle(one).fill));
    const [light, dark] = fills.map(luminance).sort((a, b) => b - a);
    return [text.textContent, (light + 0.05) / (dark + 0.05)];
  });
}"""
"""The statuses that stand within bands, each with the contrast of its text."""


DOTS = [payment("..", days=47, event_id="two"), payment(".", days=48, event_id="one")]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with consoles.served(live(tmp_path_factory.mktemp("lived"), *LINES, *DOTS).sources()) as base:
        yield base


@pytest.fixture(scope="module")
def chromium(address):  # noqa: ARG001 - nothing can be replayed in the thread of a browser
    with browser() as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 1600])
def test_no_page_has_faults_on_any_screen(chromium, address, scheme, width):
    with opened(chromium, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        for path in PATHS:
            page.goto(address + path)
            page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
            assert (path, faults(page)) == (path, [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_status_within_a_band_can_be_read(chromium, address, scheme):
    with opened(chromium, viewport={"width": 1600, "height": 800}, color_scheme=scheme) as page:
        page.goto(f"{address}/users/ada")
        told = page.evaluate(BAND_CONTRAST)
        assert {status for status, _ in told} >= {"trialing", "active"}
        assert [status for status, contrast in told if contrast < 4.5] == []


def test_a_user_is_found_and_asked_about_by_the_keyboard_alone(chromium, address):
    with opened(chromium) as page:
        page.goto(f"{address}/users")
        page.get_by_label("A user's id").focus()
        page.keyboard.type("ad")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="found for").wait_for()
        page.get_by_role("link", name="ada", exact=True).first.focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="ada", exact=True).wait_for()
        page.get_by_label("Moment").select_option("payment.failed")
        page.get_by_role("button", name="Decide").press("Enter")
        page.get_by_text("would decide:").wait_for()
        entry = page.locator(".entries summary").first
        entry.focus()
        page.keyboard.press("Enter")
        assert page.locator(".entries details[open]").count() == 1


def test_a_user_with_markup_in_the_id_is_reached_by_a_click(chromium, address):
    with opened(chromium) as page:
        page.goto(f"{address}/users?q=%3C")
        page.get_by_role("link", name=ODD).first.click()
        assert page.locator("h1").inner_text() == ODD
        page.get_by_role("link", name="Decisions").click()
        assert page.locator("h1").inner_text() == ODD


def test_the_dots_that_browsers_walk_up_by_are_ids_like_others(chromium, address):
    with opened(chromium) as page:
        for user in ("..", "."):
            page.goto(f"{address}/users")
            page.get_by_role("link", name=user, exact=True).first.click()
            page.get_by_role("link", name="90 days").click()
            page.get_by_role("link", name="Events").click()
            assert page.locator("h1").inner_text() == user


def test_a_changed_catalog_is_tried_from_the_form_to_the_result(chromium, address):
    with opened(chromium) as page:
        page.goto(f"{address}/catalog")
        page.get_by_role("link", name="What if it were different?").click()
        area = page.get_by_label("The catalog, in YAML")
        area.fill(area.input_value().replace("priority: 100", "priority: 7"))
        page.get_by_role("button", name="Run").click()
        page.get_by_role("heading", name="Totals").wait_for(timeout=100_000)
        assert faults(page) == []
        assert page.get_by_text("100 -> 7").count() == 1
