"""Drives Debian's Chromium by Playwright; tests that need it are skipped, with the reason, where it is missing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# As root, Chromium runs only without its sandbox; the others keep it from calling anybody.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless browser."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        pytest.skip("needs Chromium: apt-get install chromium, or the like, installs it")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        except Error as error:  # such as a package that only tells how to install another one
            pytest.skip(f"needs Chromium, and {program} does not start: {error.message.splitlines()[0]}")
        yield chromium
        chromium.close()


@contextmanager
def opened(chromium: Browser, **settings: Any) -> Iterator[Page]:
    """A page of its own. Afterwards, the test fails if the browser has complained about anything on it."""
    complaints: list[str] = []
    page = chromium.new_page(**settings)
    page.on("console", lambda message: complaints.append(message.text) if message.type in LOUD else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == [], "a violation of the Content-Security-Policy is such a complaint, too"


def faults(page: Page) -> list[str]:
    """Obstacles for people on a page: sentences that name the element."""
    return page.evaluate(FAULTS)  # type: ignore[no-any-return]


LOUD = ("error", "warning")
LEAST_CONTRAST = 4.5
"""Of text and its ground, by WCAG 2.2, 1.4.3."""
FAULTS = """() => {
  const found = [];
  const shown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const named = (element) => `${element.tagName}.${element.className} "${element.textContent.slice(0, 40)}"`;

  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    const wide = [...document.querySelectorAll("main *")].filter(shown)
      .find((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".wide, pre"));
    found.push(`the page is wider than the screen, because of ${wide ? named(wide) : "something"}`);
  }

  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c <= 10 ? c / 3294 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (const seen = new Set(); walker.nextNode();) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element) || !shown(element)) continue;
    seen.add(element);
    if (element.closest("svg, option, .skip")) continue;
    const colours = [channels(getComputedStyle(element).color), ground(element)];
    const [light, dark] = colours.map(luminance).sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < LEAST) found.push(`a contrast of ${contrast.toFixed(2)}: ${named(element)}`);
  }

  const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown);
  const levels = headings.map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) found.push("not one h1");
  levels.forEach((level, i) => {
    if (i && level > levels[i - 1] + 1) found.push(`an h${level} after an h${levels[i - 1]}`);
  });

  for (const input of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!input.labels.length && !input.ariaLabel) found.push(`no label: ${input.name}`);
  }
  for (const head of document.querySelectorAll("th:not([scope])")) found.push(`no scope: ${named(head)}`);
  for (const button of document.querySelectorAll("button, a, summary")) {
    const name = button.textContent.trim() || button.ariaLabel;
    if (shown(button) && !name) found.push(`no name: ${button.outerHTML.slice(0, 80)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push(`twice the id ${id}`));
  return found;
}""".replace("LEAST", str(LEAST_CONTRAST))
