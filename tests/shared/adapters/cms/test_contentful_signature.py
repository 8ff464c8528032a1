"""The signature of webhooks, as Contentful's own package makes it, and forged ones."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.cms.contentful_signature import Refused, SignedRequest, verify
from tests.support.contentful import SECRET, signed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MILLIS = int(NOW.timestamp() * 1000)
BODY = '{"sys": {"id": "é"}}'.encode()
SIGN = """
const { signRequest } = require('@contentful/node-apps-toolkit');
const [secret, method, path, body, time, headers] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(signRequest(secret, {method, path, body, headers}, time)));
"""


def request(headers, *, method="POST", path="/", search="", body=BODY):
    return SignedRequest(method, path, search, [*headers.items()], body)


@pytest.fixture(scope="session")
def toolkit(tmp_path_factory):
    """The folder with Contentful's own package of npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are needed for @contentful/node-apps-toolkit")
    folder = tmp_path_factory.mktemp("toolkit")
    npm = [
        "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(folder),
        "@contentful/node-apps-toolkit@3.16.1",
    ]
    installed = subprocess.run(npm, capture_output=True, timeout=120, check=False)  # noqa: S603
    if installed.returncode:
        pytest.skip("npm cannot install @contentful/node-apps-toolkit here")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/hooks/catalog", "/hooks?space=a b&x=ü"])
@pytest.mark.parametrize(
    "more", [{}, {"X-Contentful-Topic": " ContentManagement.Entry.publish ", "content-type": "x"}]
)
def test_what_contentfuls_own_package_signs_is_accepted(toolkit, path, more):
    given = json.dumps([SECRET, "POST", path, BODY.decode(), MILLIS, more])
    told = subprocess.run(["node", "-e", SIGN, given], cwd=toolkit, capture_output=True, check=True)  # noqa: S603, S607
    headers = {name.lower(): value for name, value in {**more, **json.loads(told.stdout)}.items()}
    place, _, search = path.partition("?")
    verify(request({name: str(value) for name, value in headers.items()}, path=place, search=search), SECRET, NOW)


def test_a_webhook_is_accepted_up_to_five_minutes_before_and_after():
    for minutes in (-5, 0, 5):
        verify(request(signed(BODY, MILLIS)), SECRET, NOW + timedelta(minutes=minutes))


def without(name):
    return {key: value for key, value in signed(BODY, MILLIS).items() if key != name}


def unsigned_timestamp():
    headers = signed(BODY, MILLIS)
    return headers | {"x-contentful-signed-headers": "x-contentful-signed-headers"}


FORGED = {
    "no signature": (request(without("x-contentful-signature")), "missing_header"),
    "no timestamp": (request(without("x-contentful-timestamp")), "missing_header"),
    "no list of signed headers": (request(without("x-contentful-signed-headers")), "missing_header"),
    "another secret": (request(signed(BODY, MILLIS, secret="x" * 64)), "wrong_signature"),
    "an empty signature": (request(signed(BODY, MILLIS) | {"x-contentful-signature": ""}), "wrong_signature"),
    "a signature that is no ASCII": (
        request(signed(BODY, MILLIS) | {"x-contentful-signature": "é"}),
        "wrong_signature",
    ),
    "another method": (request(signed(BODY, MILLIS), method="PUT"), "wrong_signature"),
    "another path": (request(signed(BODY, MILLIS), path="/other"), "wrong_signature"),
    "a query that was added": (request(signed(BODY, MILLIS), search="a=1"), "wrong_signature"),
    "a body that was re-serialised": (
        request(signed(BODY, MILLIS), body=json.dumps(json.loads(BODY)).encode()),
        "wrong_signature",
    ),
    "a later timestamp": (
        request(signed(BODY, MILLIS) | {"x-contentful-timestamp": str(MILLIS + 1)}),
        "wrong_signature",
    ),
    "a timestamp that is not signed": (request(unsigned_timestamp()), "unsigned_header"),
    "signed headers in another order": (
        request(
            signed(BODY, MILLIS)
            | {"x-contentful-signed-headers": "x-contentful-timestamp,x-contentful-signed-headers"}
        ),
        "wrong_signature",
    ),
    "an old one": (request(signed(BODY, MILLIS - 300_001)), "too_old"),
    "one from the future": (request(signed(BODY, MILLIS + 300_001)), "from_the_future"),
    "a timestamp that is none": (request(signed(BODY, MILLIS) | {"x-contentful-timestamp": "-1"}), "malformed"),
    "a timestamp of 10,000 digits": (
        request(signed(BODY, MILLIS) | {"x-contentful-timestamp": "9" * 10_000}),
        "malformed",
    ),
    "a header twice": (
        SignedRequest("POST", "/", "", [*signed(BODY, MILLIS).items(), ("x-contentful-timestamp", "1")], BODY),
        "malformed",
    ),
    "a signed header that is missing": (
        request({key: value for key, value in signed(BODY, MILLIS, topic="x").items() if key != "topic"}),
        "missing_header",
    ),
    "a signed header with another value": (
        request(signed(BODY, MILLIS, topic="x") | {"topic": "y"}),
        "wrong_signature",
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_webhook_is_refused_with_its_reason_and_without_the_secret(what):
    forged, reason = FORGED[what]
    with pytest.raises(Refused) as refused:
        verify(forged, SECRET, NOW)
    assert refused.value.reason == reason
    assert SECRET not in str(refused.value)
