"""Access tokens for Google's services, renewed without holding up the event loop."""

import asyncio
import logging
from collections.abc import Callable

from google.auth import default
from google.auth.credentials import Credentials, TokenState
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from shared.adapters.gcp.connection import Headers
from shared.domain.errors import Transient

log = logging.getLogger(__name__)

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def default_credentials() -> Credentials:
    """The credentials of the environment: in a function, those of its service account.

    https://cloud.google.com/docs/authentication/application-default-credentials
    """
    credentials, _ = default(scopes=[SCOPE])
    return credentials


class AccessTokens:
    """The headers that authorize a call, with a token that is renewed in a thread.

    A token is renewed some minutes before it expires, and calls go on with it meanwhile. Only the first calls, and
    those that find the token expired, wait: all of them for the same renewal.
    """

    def __init__(self, find_credentials: Callable[[], Credentials] = default_credentials) -> None:
        self._find_credentials = find_credentials
        self._credentials: Credentials | None = None
        """None before the first renewal: the search for credentials may ask the metadata server."""
        self._headers: Headers = ()
        """Empty while there is no valid token."""
        self._renewal: asyncio.Task[Headers] | None = None
        """The renewal under way."""

    async def headers(self) -> Headers:
        """The headers with a valid token. Raises `Transient` if no token can be had."""
        state = self._credentials.token_state if self._credentials and self._headers else TokenState.INVALID
        if state is TokenState.FRESH:
            return self._headers
        if self._renewal is None:
            self._renewal = asyncio.create_task(asyncio.to_thread(self._renew))
            self._renewal.add_done_callback(self._renewal_ended)
        if state is TokenState.STALE:
            return self._headers
        self._headers = ()
        try:
            return await asyncio.shield(self._renewal)  # others wait for it, too
        except GoogleAuthError as error:
            raise Transient(f"no access token: {type(error).__name__}") from error

    def _renew(self) -> Headers:
        """Renew the token. In a thread, because Google's library blocks it until the answer arrives."""
        if self._credentials is None:
            self._credentials = self._find_credentials()
        headers: dict[str, str] = {}
        self._credentials.before_request(Request(), "POST", "", headers)  # type: ignore[no-untyped-call]
        return tuple((name.lower(), value) for name, value in headers.items())

    def _renewal_ended(self, renewal: asyncio.Task[Headers]) -> None:
        self._renewal = None
        if renewal.cancelled():
            return
        if error := renewal.exception():
            log.warning("the access token cannot be renewed: %s", type(error).__name__)
        else:
            self._headers = renewal.result()
