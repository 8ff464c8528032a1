"""What guards the console: its headers, its hosts, its form token, and its port."""

import socket
import threading

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from infra.console.app import application
from infra.console.rendering import MENU
from infra.console.security import HEADERS, MAX_FORM_BYTES, FormGuard, Guard
from infra.console.server import serve
from infra.errors import InfraError
from tests.support import consoles

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def client(tmp_path):
    return consoles.client(consoles.sources(tmp_path))


def is_guarded(answer):
    return all(answer.headers.get(name) == value for name, value in HEADERS.items())


@pytest.mark.parametrize("path", ["/", "/dead-letters", "/try", "/static/console.css", "/static/console.js"])
def test_every_page_and_file_is_guarded_by_headers(client, path):
    answer = client.get(path)
    assert (answer.status_code, is_guarded(answer)) == (200, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/static/../app.py", 404), ("PUT", "/", 405), ("POST", "/try", 403)],
)
def test_every_error_is_a_guarded_page(client, method, path, status):
    answer = client.request(method, path)
    assert (answer.status_code, is_guarded(answer)) == (status, True)


def test_no_page_loads_a_script_or_a_style_but_those_of_the_console(client):
    for path, _ in MENU:
        html = client.get(path).text
        assert html.count("<script") == 1, "and that one by its address"
        assert "<style" not in html
        assert " style=" not in html


def test_a_mistake_of_the_console_is_a_guarded_page_that_tells_no_more_than_its_kind(tmp_path):
    def broken():
        raise ZeroDivisionError("a secret of the inside")

    client = consoles.client(consoles.sources(tmp_path, now=broken), raise_server_exceptions=False)
    answer = client.get("/try")
    assert (answer.status_code, is_guarded(answer)) == (500, True)
    assert "ZeroDivisionError" in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1]", "localhost.evil:80"])
def test_requests_to_other_hosts_are_not_answered(client, host):
    answer = client.get("/", headers={"host": host})
    assert (answer.status_code, is_guarded(answer)) == (421, True)
    assert "Live" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:8070", "127.0.0.1:1"])
def test_both_names_of_this_machine_are_answered_at_any_port(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_sends_by_itself_is_not_answered(client, site):
    answer = client.get("/dead-letters", headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"})
    assert (answer.status_code, is_guarded(answer)) == (403, True)
    link = {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
    assert client.get("/dead-letters", headers=link).status_code == 200, "a link may lead to the console"
    own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    assert client.get("/dead-letters", headers=own).status_code == 200


class TestForms:
    """A small application with nothing but a form."""

    def post(self, guard, content, **headers):
        async def answer(request: Request):
            return JSONResponse(await guard.fields_of(request))

        app = Guard(Starlette(routes=[Route("/", answer, methods=["POST"])]))
        return TestClient(app, base_url=consoles.ADDRESS).post("/", content=content, headers=FORM | headers)

    def test_a_form_with_the_token_is_taken_and_its_fields_come_without_it(self):
        guard = FormGuard(may_write=True)
        answer = self.post(guard, f"token={guard.token}&why=a+b%26c&empty=")
        assert answer.json() == {"why": "a b&c", "empty": ""}

    @pytest.mark.parametrize("token", ["", "token=", "token=wrong", "token=%ff", "why=x"])
    def test_a_form_without_the_token_is_refused(self, token):
        answer = self.post(FormGuard(may_write=True), token)
        assert (answer.status_code, "a form of this console" in answer.text) == (403, True)

    def test_the_token_of_another_run_is_refused(self):
        answer = self.post(FormGuard(may_write=True), f"token={FormGuard(may_write=True).token}")
        assert answer.status_code == 403

    def test_nothing_is_written_without_write_even_with_the_token(self):
        guard = FormGuard(may_write=False)
        answer = self.post(guard, f"token={guard.token}")
        assert (answer.status_code, "--write" in answer.text) == (403, True)

    def test_a_form_that_is_too_large_is_refused(self):
        guard = FormGuard(may_write=True)
        answer = self.post(guard, f"token={guard.token}&data={'x' * MAX_FORM_BYTES}")
        assert answer.status_code == 413

    @pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
    def test_what_is_no_form_is_refused(self, kind):
        guard = FormGuard(may_write=True)
        assert self.post(guard, f"token={guard.token}", **{"content-type": kind}).status_code == 400


def test_a_replay_cannot_be_written_to_even_with_write(tmp_path):
    client = consoles.client(consoles.sources(tmp_path), may_write=True)
    assert "read only" in client.get("/").text
    assert client.post("/try", data={"token": "x"}).status_code == 403


def test_a_port_in_use_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InfraError, match=rf"port {port} of 127\.0\.0\.1 cannot be used .*--port"):
            serve(application(consoles.sources(tmp_path), may_write=False), port, print, threading.Event())
