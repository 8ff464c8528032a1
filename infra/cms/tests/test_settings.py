"""The settings of the site: each is explained, and one that would be unsafe is refused."""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

SOURCE = (ROOT / "infra/cms/upbeat_cms/settings.py").read_text()


def test_every_setting_is_explained_once():
    explained = re.findall(r"^\| `(CMS_[A-Z_]+)` \|", (ROOT / "docs/cms.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted({*re.findall(r'"(CMS_[A-Z_]+)"', SOURCE)})


def refusal(**given):
    """The last line of what a site says that does not start."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CMS_")}
    environ |= {"CMS_SECRET_KEY": "a" * 32, "DJANGO_SETTINGS_MODULE": "upbeat_cms.settings"} | given
    command = [sys.executable, ROOT / "infra/cms/manage.py", "check"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode != 0
    return ended.stderr.splitlines()[-1].partition(": ")[2]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"CMS_SECRET_KEY": ""}, "CMS_SECRET_KEY: expected at least 32 characters, found nothing"),
        ({"CMS_API_TOKEN": "short"}, "CMS_API_TOKEN: expected at least 32 characters, found 5"),
        (
            {"CMS_API_TOKEN": "a b" * 11},
            "CMS_API_TOKEN: expected what a header can hold, found characters such as spaces",
        ),
        ({"CMS_DEBUG": "1"}, "CMS_DEBUG: expected true or false, found '1'"),
        (
            {"CMS_WEBHOOK_URL": "https://a.example"},
            "CMS_WEBHOOK_SECRET: expected a secret, since there is a CMS_WEBHOOK_URL",
        ),
        (
            {"CMS_WEBHOOK_URL": "http://localhost.example"},
            "CMS_WEBHOOK_URL: expected an address with https, found",
        ),
        ({"CMS_URL": "file:///etc"}, "CMS_URL: expected an address with https, found"),
    ],
    ids=str,
)
def test_what_would_be_unsafe_is_refused(given, told):
    assert told in refusal(**given)
