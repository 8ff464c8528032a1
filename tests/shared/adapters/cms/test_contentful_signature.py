"""The signature of webhooks, as Contentful's own package makes it."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from shared.adapters.cms.contentful_signature import verify
from tests.support.contentful import SECRET
from tests.support.webhooks import request

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MILLIS = int(NOW.timestamp() * 1000)
BODY = '{"sys": {"id": "é"}}'.encode()
SIGN = """
const { signRequest } = require('@contentful/node-apps-toolkit');
const [secret, method, path, body, time, headers] = JSON.parse(process.argv[1]);
console.log(JSON.stringify(signRequest(secret, {method, path, body, headers}, time)));
"""


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
    given_back = {name: str(value) for name, value in headers.items()}
    verify(request(given_back, BODY, place, search), SECRET, NOW)
