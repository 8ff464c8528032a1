"""The Wagtail site of infra/cms as `make cms` starts it, in its own environment, and people who work in it."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from infra.emulator.processes import Process, Program
from infra.topology import ROOT
from tests.support.watching import eventually

TOKEN = "a-token-with-which-only-tests-read-entries"
SECRET = "a secret with which only tests sign webhooks"
VARIABLE = "UPBEAT_WAGTAIL_SITE"
"""The folder of the site's environment. `make test-cms` sets it; other runs leave the tests out that need it."""
MANAGE = ROOT / "infra/cms/manage.py"


class RunningSite(NamedTuple):
    """A site that runs."""

    url: str
    passwords: Mapping[str, str]
    """The passwords of `editor`, `approver` and `admin`."""

    def login(self, chromium: Browser, name: str) -> Page:
        """A browser of its own in which a user has logged in."""
        page = chromium.new_context().new_page()
        page.goto(f"{self.url}/admin/login/")
        page.fill("#id_username", name)
        page.fill("#id_password", self.passwords[name])
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        return page

    def open(self, page: Page, kind: str, entry_id: str) -> None:
        """Open the page of an entry, by its listing."""
        page.goto(f"{self.url}/admin/snippets/entries/{kind}/")
        page.get_by_role("link", name=entry_id, exact=True).click()
        page.wait_for_url("**/edit/**")


def press(page: Page, button: str) -> None:
    """Press one of the buttons below the form of an entry; all but the first one are folded away."""
    wanted = page.get_by_role("button", name=button, exact=True)
    if not wanted.is_visible():
        page.get_by_role("button", name="More actions").click()
    with page.expect_navigation():
        wanted.click()


needs_wagtail = pytest.mark.skipif(
    VARIABLE not in os.environ,
    reason="needs Wagtail in its own environment: `make test-cms` installs it, and runs this",
)


@contextmanager
def wagtail_site(folder: Path, port: int, webhook_url: str) -> Iterator[RunningSite]:
    """The site on a port, with its database in a folder."""
    python = str(Path(os.environ[VARIABLE]) / "bin/python")
    url = f"http://127.0.0.1:{port}"
    env = {
        "PATH": os.environ["PATH"],
        "CMS_DEBUG": "true",
        "CMS_DATABASE": str(folder / "cms.sqlite3"),
        "CMS_API_TOKEN": TOKEN,
        "CMS_WEBHOOK_URL": webhook_url,
        "CMS_WEBHOOK_SECRET": SECRET,
        "PYTHONUNBUFFERED": "1",
    }
    printed: list[str] = []
    command = (python, str(MANAGE), "demo", "--port", str(port))
    process = Process(
        Program("cms", command, env, folder, restarts=False), lambda _name, line: printed.append(line)
    )
    process.start()
    try:
        assert eventually(lambda: any("Quit the server" in line for line in printed)), "\n".join(printed)
        yield RunningSite(url, dict(re.findall(r"user (\w+), password (\S+)", "\n".join(printed))))
    finally:
        process.stop()
