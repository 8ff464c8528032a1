"""The HTML pages of reports: escaped, without network and script."""

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from infra.html_page import Cell, document, heading, paragraph, table

FROM_ELSEWHERE = st.text(alphabet=st.sampled_from("<>&\"'/ab=`\x00 \n"), max_size=12)


class Elements(HTMLParser):
    """Collects the elements, the texts and the attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}


def page(text: str) -> str:
    rows = [[text, Cell(text, "number", 0.5)]]
    return document(text, [heading(text), paragraph(text, "loud"), table([text, Cell(text)], rows)])


@given(FROM_ELSEWHERE)
def test_whatever_a_text_is_the_elements_are_the_same(text: str) -> None:
    found, plain = Elements(page(text)), Elements(page("plain"))
    assert (found.elements, found.attributes) == (plain.elements, plain.attributes)


def test_a_page_asks_no_network_runs_nothing_and_fits_every_screen_in_light_and_dark() -> None:
    text = page("<script>alert(1)</script>")
    assert "default-src 'none'" in text
    assert not re.search(r"<script|(?:href|src)\s*=|url\(|@import", text)
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    assert "overflow-x: auto" in text
