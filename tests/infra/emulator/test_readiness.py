import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infra.emulator.processes import Process, Program
from infra.emulator.readiness import POLL_SECONDS, answers, wait_until_ready
from infra.errors import InfraError
from infra.remote.endpoints import LOCALHOST, free_ports


@pytest.fixture
def server():
    """A server that responds with 503 until `status` is changed."""

    class Handler(BaseHTTPRequestHandler):
        status = 503

        def do_GET(self):
            self.send_response(Handler.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer((LOCALHOST, 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        Handler.url = f"http://{LOCALHOST}:{listening.server_port}"
        yield Handler
        listening.shutdown()


@pytest.fixture
def process():
    """A process that runs without any output."""
    idle = Process(Program("idle", (sys.executable, "-c", "import signal; signal.pause()")))
    idle.start()
    yield idle
    idle.stop()


def test_only_200_is_an_answer(server):
    assert not answers(server.url)
    server.status = 200
    assert answers(server.url)


def test_nobody_listening_is_no_answer():
    (port,) = free_ports(1)
    assert not answers(f"http://{LOCALHOST}:{port}")


def test_a_server_that_answers_is_ready(server, process):
    server.status = 200
    wait_until_ready(process, server.url)


def test_a_server_that_never_answers_is_an_error_after_a_while(server, process):
    with pytest.raises(
        InfraError, match=r"idle did not answer .* with 200 within 0\.1 s; the end of its output:\n\(none\)"
    ):
        wait_until_ready(process, server.url, within=0.1)


@pytest.mark.parametrize("restarts", [True, False])
def test_a_program_that_ends_first_is_an_error_with_its_last_words(server, restarts):
    program = Program("brief", (sys.executable, "-c", "print('farewell')"), restarts=restarts)
    process = Process(program)
    process.start()
    with pytest.raises(InfraError, match="brief ended before it was ready; the end of its output:\nfarewell"):
        wait_until_ready(process, server.url)
    process.stop()
