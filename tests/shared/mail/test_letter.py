"""The mail for a trigger: its headers, its words, and what it refuses."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Transient
from shared.mail.letter import is_address, letter, target, words_for
from shared.mail.links import Action
from shared.mail.ports import Address, Words
from tests.support.mail import ENTRY, LINKS, NOW, SENDER, TRIGGER_ID, trigger


def written(words: Words = ENTRY["default"], to: str = "ada@example.org", **fields) -> EmailMessage:
    data = letter(trigger(**fields), Address(to), words, SENDER, LINKS, NOW).data
    return message_from_bytes(data, policy=policy.default)


def test_a_mail_has_the_headers_that_receivers_ask_for() -> None:
    mail = written()
    assert (mail["From"], mail["To"]) == ("Example <offers@example.com>", "ada@example.org")
    assert mail["Message-ID"] == f"<{TRIGGER_ID}@example.com>"
    assert mail["Subject"] == "Half price for premium"
    assert mail["List-Unsubscribe"] == f"<{LINKS.link(Action.UNSUBSCRIBE, TRIGGER_ID)}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Date"].datetime == NOW
    assert LINKS.link(Action.CLICK, TRIGGER_ID) in mail.get_content()
    assert "2026-04-22" in mail.get_content()
    assert "ada" not in mail.get_content(), "a link names no user"


def test_words_are_of_the_users_language_or_the_default() -> None:
    assert [words_for(ENTRY, locale) for locale in ("de", "de-AT", "fr", "")] == [
        ENTRY["de"],
        ENTRY["de"],
        ENTRY["default"],
        ENTRY["default"],
    ]
    assert words_for({"de": ENTRY["de"]}, "fr") is None


def test_values_in_html_are_escaped_and_text_comes_beside_it() -> None:
    words = Words("s", "$offer_id", "https://x", "<p>$offer_id</p>")
    plain, rich = written(words, offer_id="<script>").iter_parts()
    assert plain.get_content().strip() == "<script>"
    assert rich.get_content().strip() == "<p>&lt;script&gt;</p>"


def test_a_subject_stays_one_line_and_any_language_fits_in_seven_bits() -> None:
    words = Words("Grüße\r\nBcc: all@example.org", "Füße 🎵 " * 200, "https://x")
    data = letter(trigger(), Address("ada@example.org"), words, SENDER, LINKS, NOW).data
    assert data.isascii()
    mail = message_from_bytes(data, policy=policy.default)
    assert mail["Subject"] == "Grüße Bcc: all@example.org"
    assert mail["Bcc"] is None
    assert mail.get_content().startswith("Füße 🎵")


@pytest.mark.parametrize("text", ["$nobody", "costs $5", "${offer_id"])
def test_words_that_cannot_be_filled_are_named(text: str) -> None:
    with pytest.raises(Transient, match=r"the words of offers/half: expected only \$offer_id"):
        written(Words("s", text, "https://x"))


def test_the_address_of_the_offer_may_name_the_trigger() -> None:
    assert target(trigger(), ENTRY["default"]) == f"https://shop.example/half?trigger={TRIGGER_ID}"


@pytest.mark.parametrize("email", ["ada@example.org", "a.b+c@sub.example.co.uk", "x@xn--bcher-kva.example"])
def test_an_address_is_one(email: str) -> None:
    assert is_address(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@localhost",
        "ada@example.org\n",
        "ada@example.org\r\nBcc: all@example.org",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        "ada@example.org>\r\nDATA",
        "ada@exam ple.org",
        "äda@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 250 + ".org",
        "ada@example.org\x00",
        "ada@-example.org",
    ],
)
def test_what_is_no_address_is_none(email: str) -> None:
    assert not is_address(email)


@given(st.text(max_size=60))
def test_no_text_that_passes_as_an_address_brings_a_header(text: str) -> None:
    for email in (text, f"a{text}@example.org", f"ada@example.org{text}"):
        if is_address(email):
            assert written(to=email)["To"] == email
            assert not any(character in email for character in "\r\n ,<>")
