"""Mail over SMTP, against a server that answers as a test says."""

import pytest

from shared.adapters.smtp import SmtpMailer
from shared.mail.errors import Bounced, NotSent, Unsure
from shared.mail.ports import Letter
from shared.mail.settings import LinkSettings, MailSettings
from tests.support.mail import KEY, SENDER, Sink, mail_server

LETTER = Letter("offers@example.com", "ada@example.org", b"Subject: hi\r\n\r\n.a line that begins with a dot\r\n")


@pytest.fixture
def server():
    with mail_server() as running:
        yield running


def mailer(port: int, **given) -> SmtpMailer:
    usual = {"security": "none"}
    return SmtpMailer(
        MailSettings(LinkSettings((KEY,)), "127.0.0.1", SENDER, "http://x", port, **usual | given), 5
    )


async def send(port: int, **given) -> None:
    async with mailer(port, **given).open(LETTER) as handover:
        await handover.send()


async def test_a_mail_arrives_as_it_was_written(server: tuple[Sink, int]) -> None:
    sink, port = server
    await send(port)
    (received,) = sink.received
    assert (received["Subject"], sink.recipients) == ("hi", ["ada@example.org"])
    assert received.get_content() == ".a line that begins with a dot\r\n"


async def test_nothing_is_sent_unless_the_content_is_handed_over(server: tuple[Sink, int]) -> None:
    sink, port = server
    async with mailer(port).open(LETTER):
        pass
    assert sink.received == []


@pytest.mark.parametrize(("code", "error"), [("550 no such user", Bounced), ("451 later", NotSent)])
async def test_an_answer_to_the_recipient_decides(
    server: tuple[Sink, int], code: str, error: type[Exception]
) -> None:
    sink, port = server
    sink.to_recipient = code
    with pytest.raises(error, match=code[:3]):
        await send(port)
    assert sink.received == []


@pytest.mark.parametrize(("code", "error"), [("554 no spam", Bounced), ("452 full", NotSent)])
async def test_an_answer_to_the_content_decides(
    server: tuple[Sink, int], code: str, error: type[Exception]
) -> None:
    sink, port = server
    sink.to_content = code
    with pytest.raises(error, match=code[:3]):
        await send(port)


async def test_a_connection_that_ends_after_the_content_leaves_it_in_doubt(server: tuple[Sink, int]) -> None:
    sink, port = server
    sink.drops_content = True
    with pytest.raises(Unsure):
        await send(port)


@pytest.mark.parametrize("given", [{"security": "starttls"}, {"security": "tls"}, {"user": "u", "password": "p"}])
async def test_a_server_that_lacks_what_the_settings_ask_for_gets_nothing(server: tuple[Sink, int], given) -> None:
    sink, port = server
    with pytest.raises(NotSent) as error:
        await send(port, **given)
    assert "ada" not in str(error.value)
    assert sink.received == []


async def test_no_server_is_a_failure_for_now() -> None:
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        await send(1)
