"""Settings of e-mail: an error names the variable, and never tells a secret."""

import pytest

from shared.mail.settings import read_link_settings, read_mail_settings
from shared.settings import InvalidSettings

GIVEN = {
    "UPBEAT_SMTP_HOST": "smtp.example.com",
    "UPBEAT_MAIL_FROM": "Example <offers@example.com>",
    "UPBEAT_MAIL_LINKS": "https://links.example.com",
    "UPBEAT_MAIL_LINK_KEY": "new-key-of-at-least-32-characters!, old-key-of-at-least-32-characters!",
    "UPBEAT_SMTP_USER": "upbeat",
    "UPBEAT_SMTP_PASSWORD": "hunter2hunter2",
}


def test_what_must_be_said_is_enough() -> None:
    found = read_mail_settings(GIVEN)
    assert (found.host, found.port, found.security, found.user) == ("smtp.example.com", 587, "starttls", "upbeat")
    assert (found.sender.display_name, found.sender.addr_spec) == ("Example", "offers@example.com")
    assert [len(key) for key in found.links.keys] == [34, 34]
    assert "hunter2" not in repr(found)
    assert "new-key" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("UPBEAT_SMTP_HOST", "", "the name of a mail server"),
        ("UPBEAT_SMTP_PORT", "0", "a number from 1 to 65535"),
        ("UPBEAT_SMTP_PORT", "-1", "a number from 1 to 65535"),
        ("UPBEAT_SMTP_PORT", "smtp", "a number from 1 to 65535"),
        ("UPBEAT_SMTP_SECURITY", "ssl", "starttls, tls, none"),
        ("UPBEAT_MAIL_FROM", "offers", "a sender such as"),
        ("UPBEAT_MAIL_FROM", "A <a@example.com>\r\nBcc: b@example.com", "a sender such as"),
        ("UPBEAT_MAIL_LINKS", "ftp://x", "begins with https"),
        ("UPBEAT_MAIL_LINKS", "https://x?y", "begins with https"),
        ("UPBEAT_MAIL_LINKS", "https://x/mail", "has no path"),
        ("UPBEAT_MAIL_LINK_KEY", "short", "at least 32 characters, found one of 5"),
        ("UPBEAT_MAIL_LINK_KEY", "", "at least 32 characters, found one of 0"),
        ("UPBEAT_SMTP_PASSWORD", "", "one without the other"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, expected: str) -> None:
    with pytest.raises(InvalidSettings, match="UPBEAT_") as error:
        read_mail_settings(GIVEN | {name: value})
    assert expected in str(error.value)


@pytest.mark.parametrize("change", [{"UPBEAT_SMTP_SECURITY": "none"}, {"UPBEAT_MAIL_LINKS": "http://x"}])
def test_a_deployed_function_sends_nothing_in_the_clear(change: dict[str, str]) -> None:
    read_mail_settings(GIVEN | change)
    with pytest.raises(InvalidSettings):
        read_mail_settings(GIVEN | change | {"K_SERVICE": "deliver-email"})


def test_a_key_that_is_too_short_is_not_told() -> None:
    with pytest.raises(InvalidSettings) as error:
        read_link_settings({"UPBEAT_MAIL_LINK_KEY": "secret"})
    assert "secret" not in str(error.value)
