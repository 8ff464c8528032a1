"""The site as `make cms` starts it: one process, its own database, and people who log in."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

import requests
from bs4 import BeautifulSoup
from conftest import ROOT, form_of
from receiver import upbeat_running

from infra.remote.endpoints import free_ports

TOKEN = "a-token-with-which-only-this-test-reads"
SECRET = "a secret with which only this test signs"
SECONDS = 120


@contextmanager
def site_running(folder, webhook_url):
    """The address of the site, and the passwords that it printed."""
    (port,) = free_ports(1)
    log = folder / "site.log"
    environ = os.environ | {
        "CMS_DEBUG": "true",
        "CMS_DATABASE": str(folder / "cms.sqlite3"),
        "CMS_API_TOKEN": TOKEN,
    }
    environ |= {"CMS_WEBHOOK_URL": webhook_url, "CMS_WEBHOOK_SECRET": SECRET, "PYTHONUNBUFFERED": "1"}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, ROOT / "infra/cms/manage.py", "demo", "--port", str(port)]
    with log.open("w") as out, subprocess.Popen(command, env=environ, stdout=out, stderr=out) as site:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: "Quit the server" in log.read_text() and is_up(url), log)
            yield url, dict(re.findall(r"user (\w+), password (\S+)", log.read_text()))
        finally:
            site.terminate()


def wait_until(is_so, log):
    ends = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < ends, log.read_text()
        time.sleep(0.05)


def is_up(url):
    try:
        return requests.get(url, timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


class Browser(requests.Session):
    """A browser in which a user has logged in."""

    def __init__(self, url, name, password):
        super().__init__()
        self.url = url
        address = f"{url}/admin/login/"
        self._press(address, "form[data-controller], form", {"username": name, "password": password})

    def edit(self, path, pressed, **fields):
        self._press(self.url + path, "form[data-edit-form]", fields | pressed)

    def _press(self, address, form, fields):
        page = BeautifulSoup(self.get(address, timeout=SECONDS).text, "html.parser")
        filled = form_of(page.select_one(form)) | fields
        answer = self.post(address, filled, headers={"Referer": address}, timeout=SECONDS)
        assert answer.ok, answer.text


def entry_of(url, key):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    page = requests.get(
        f"{url}/api/upbeat/entries", params={"limit": 500}, headers=headers, timeout=SECONDS
    ).json()
    assert page["next"] is None
    return next(entry for entry in page["entries"] if entry["key"] == key)


def test_an_offer_is_edited_submitted_approved_by_another_published_and_told(tmp_path):
    with upbeat_running() as upbeat, site_running(tmp_path, upbeat.url) as (url, passwords):
        editor, approver = (Browser(url, name, passwords[name]) for name in ("editor", "approver"))
        before = entry_of(url, "offer/come_back")
        path = before["url"].removeprefix(url)
        editor.edit(path, {"action-submit": "true"}, validity_hours="48")
        approve = {"action-workflow-action": "true", "workflow-action-name": "approve"}
        editor.edit(path, approve)
        assert entry_of(url, "offer/come_back") == before
        told = len(upbeat.requests)
        approver.edit(path, approve)
        after = entry_of(url, "offer/come_back")
        assert after["fields"] == before["fields"] | {"validity_hours": 48}
        assert (after["author"], after["approved_by"]) == ("editor", "approver")
        wait_until(lambda: len(upbeat.requests) > told, tmp_path / "site.log")
        assert b'{"type": "offer", "id": "come_back"}' in upbeat.requests[-1][2]
