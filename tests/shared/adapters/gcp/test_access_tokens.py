"""Access tokens: renewed in a thread, once for all who wait, and while the former token is still valid."""

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from shared.adapters.gcp.access_tokens import AccessTokens
from shared.domain.errors import Transient

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Metadata(Credentials):
    """Credentials with a new token for each renewal, which can be held up or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.renewals = 0
        self.valid_for = HOUR
        self.fails = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def refresh(self, request: object) -> None:  # noqa: ARG002 - the library's
        self.renewals += 1
        self.goes_on.wait()
        if self.fails:
            raise RefreshError("no answer")
        self.token = f"token-{self.renewals}"
        self.expire_in(self.valid_for)

    def expire_in(self, time: timedelta) -> None:
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + time


@pytest.fixture
def metadata() -> Metadata:
    return Metadata()


@pytest.fixture
def tokens(metadata) -> AccessTokens:
    return AccessTokens(lambda: metadata)


def bearer(number: int) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer token-{number}"),)


async def renewed(tokens: AccessTokens) -> None:
    """Wait for the renewal under way."""
    if tokens._renewal:
        await asyncio.wait([tokens._renewal])


async def test_first_calls_wait_for_one_renewal_and_the_loop_for_none(tokens, metadata) -> None:
    metadata.goes_on.clear()
    calls = [asyncio.create_task(tokens.headers()) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert not any(call.done() for call in calls)
    metadata.goes_on.set()
    assert await asyncio.gather(*calls) == [bearer(1)] * 5
    assert metadata.renewals == 1


async def test_a_fresh_token_is_not_renewed(tokens, metadata) -> None:
    for _ in range(3):
        assert await tokens.headers() == bearer(1)
    assert metadata.renewals == 1


async def test_a_token_about_to_expire_is_used_until_its_renewal_ends(tokens, metadata) -> None:
    await tokens.headers()
    metadata.expire_in(MINUTE)
    metadata.goes_on.clear()
    for _ in range(3):
        assert await tokens.headers() == bearer(1)
    metadata.goes_on.set()
    await renewed(tokens)
    assert await tokens.headers() == bearer(2)
    assert metadata.renewals == 2


async def test_an_expired_token_is_not_used(tokens, metadata) -> None:
    await tokens.headers()
    metadata.expire_in(-MINUTE)
    metadata.goes_on.clear()
    calls = [asyncio.create_task(tokens.headers()) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert not any(call.done() for call in calls)
    metadata.goes_on.set()
    assert await asyncio.gather(*calls) == [bearer(2)] * 2


async def test_who_gives_up_leaves_the_renewal_to_the_others(tokens, metadata) -> None:
    metadata.goes_on.clear()
    calls = [asyncio.create_task(tokens.headers()) for _ in range(2)]
    await asyncio.sleep(0)
    calls[0].cancel()
    await asyncio.sleep(0)
    metadata.goes_on.set()
    assert await calls[1] == bearer(1)
    assert calls[0].cancelled()
    assert metadata.renewals == 1


async def test_without_a_token_a_call_fails_and_the_next_one_asks_again(tokens, metadata) -> None:
    metadata.fails = True
    with pytest.raises(Transient, match="no access token: RefreshError"):
        await tokens.headers()
    metadata.fails = False
    assert await tokens.headers() == bearer(2)


async def test_a_renewal_that_fails_leaves_a_valid_token_in_use(tokens, metadata, caplog) -> None:
    await tokens.headers()
    metadata.expire_in(MINUTE)
    metadata.fails = True
    assert await tokens.headers() == bearer(1)
    await renewed(tokens)
    assert await tokens.headers() == bearer(1)
    await renewed(tokens)
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told == ["the access token cannot be renewed: RefreshError"] * 2


async def test_an_environment_without_credentials_is_a_failure_that_may_pass() -> None:
    def missing() -> Credentials:
        raise DefaultCredentialsError("none")

    with pytest.raises(Transient, match="no access token: DefaultCredentialsError"):
        await AccessTokens(missing).headers()
