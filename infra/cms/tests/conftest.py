"""People, and the admin as they use it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from entries.access import APPROVERS, EDITORS
from entries.imported import take_over
from entries.models import KINDS, CatalogEntry
from infra.strict_yaml import read_yaml

ROOT = Path(__file__).parents[3]
SHIPPED = json.loads(json.dumps(read_yaml((ROOT / "infra/catalog/default.yaml").read_bytes()), default=str))


class Person(Client):
    """A browser in which a user is logged in."""

    def __init__(self, user: Any) -> None:
        super().__init__()
        self.user = user
        self.force_login(user)

    def edit(self, entry: CatalogEntry, action: str = "", **fields: Any) -> Any:
        """Change fields on the page of an entry, and press a button: none, `submit`, `publish`."""
        return self._send(self.page(entry, "edit"), {**self.form(entry), **fields}, action)

    def add(self, kind: str, action: str = "", **fields: Any) -> Any:
        """Add an entry on its page, and press a button."""
        return self._send(reverse(KINDS[kind].snippet_viewset.get_url_name("add")), fields, action)

    def approve(self, entry: CatalogEntry, **fields: Any) -> Any:
        """Press `approve` on the page of an entry."""
        pressed = {"action-workflow-action": "true", "workflow-action-name": "approve"}
        return self.post(self.page(entry, "edit"), {**self.form(entry), **fields, **pressed})

    def form(self, entry: CatalogEntry) -> dict[str, str]:
        """The form of an entry as the page has it."""
        return self.form_at(self.page(entry, "edit"))

    def form_at(self, address: str) -> dict[str, str]:
        """The form of a page."""
        page = BeautifulSoup(self.get(address).content, "html.parser")
        return form_of(page.select_one("form[data-edit-form]"))

    def page(self, entry: CatalogEntry, name: str, *more: Any) -> str:
        """The address of a page of an entry."""
        return reverse(entry.snippet_viewset.get_url_name(name), args=[entry.pk, *more])

    def _send(self, address: str, fields: dict[str, Any], action: str) -> Any:
        return self.post(address, {**fields, **({f"action-{action}": "true"} if action else {})})


def form_of(form: Any) -> dict[str, str]:
    """The names and values of a form's fields, as a browser sends them."""
    fields = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        if field.name == "select":
            chosen = field.select_one("option[selected]")
            fields[field["name"]] = chosen.get("value", "") if chosen else ""
        elif field.name == "textarea":
            fields[field["name"]] = field.text.removeprefix("\n")
        elif field.get("type") not in {"checkbox", "submit"} or field.has_attr("checked"):
            fields[field["name"]] = field.get("value", "")
    return fields


def _person(name: str, group: str) -> Person:
    user = get_user_model().objects.create_user(name)
    user.groups.add(Group.objects.get(name=group))
    return Person(user)


@pytest.fixture
def editor(db: None) -> Person:
    """A merchandiser."""
    return _person("editor", EDITORS)


@pytest.fixture
def approver(db: None) -> Person:
    """A person who approves."""
    return _person("approver", APPROVERS)


@pytest.fixture
def admin(db: None) -> Person:
    """An administrator."""
    return Person(get_user_model().objects.create_superuser("admin"))


@pytest.fixture
def shipped(admin: Person) -> None:
    """The shipped catalog, published."""
    take_over(SHIPPED, admin.user)


@pytest.fixture
def offer(admin: Person) -> CatalogEntry:
    """A published offer."""
    take_over({"offers": {"annual": {"cms_ref": "offers/annual", "validity_hours": 72}}}, admin.user)
    return KINDS["offer"].objects.get()


@pytest.fixture
def ask(client: Client, settings: Any, db: None) -> Callable[..., Any]:
    """Ask for an address of the API as Upbeat does."""

    def asked(path: str, method: str = "get", **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {settings.API_TOKEN}"}
        return getattr(client, method)(f"/api/upbeat/{path}", headers=headers, **options)

    return asked
