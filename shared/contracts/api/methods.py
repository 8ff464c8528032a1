"""The methods of the API by their names in the .proto file, with their requests and their places in HTTP."""

from typing import NamedTuple

from shared.contracts.api import requests
from shared.contracts.api.requests import ApiRequest

GET, POST = "GET", "POST"


class Method(NamedTuple):
    """One method."""

    request: type[ApiRequest]
    verb: str
    """The HTTP method: `GET` for one that changes nothing."""
    path: str
    """The path, whose parts in braces are fields of the request. The other fields are query parameters of a `GET`
    and members of the body of a `POST`."""

    @property
    def only_reads(self) -> bool:
        """True if the method changes nothing."""
        return self.verb == GET


USER = "/v1/users/{user_id}"
METHODS: dict[str, Method] = {
    "GetSubscription": Method(requests.GetSubscription, GET, f"{USER}/subscription"),
    "GetEntitlement": Method(requests.GetEntitlement, GET, f"{USER}/entitlement"),
    "Decide": Method(requests.Decide, POST, f"{USER}/decisions"),
    "ListOffers": Method(requests.ListOffers, GET, f"{USER}/offers"),
    "GiveFeedback": Method(requests.GiveFeedback, POST, f"{USER}/triggers/{{trigger_id}}/feedback"),
    "Explain": Method(requests.Explain, GET, f"{USER}/decisions/latest"),
}
READING = frozenset(name for name, method in METHODS.items() if method.only_reads)
"""The methods that a caller with the role to read may call."""
EVERY = frozenset(METHODS)
