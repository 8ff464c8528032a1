"""The console's server begins to stop at the first signal, whatever comes while it handles that."""

import signal
import threading

from infra.console.app import application
from infra.console.server import Server, config_of
from tests.support.consoles import sources


class Interrupted(threading.Event):
    """A flag that is being set when the next signal comes, which finds its lock taken."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.server = Server(config_of(application(sources(), may_write=False)), self)
        self.number, self.times_set = number, 0

    def set(self) -> None:
        self.times_set += 1
        if self.times_set == 1:
            self.server.handle_exit(self.number, None)
        super().set()


def test_a_signal_that_comes_while_another_is_handled_does_not_wait_for_it():
    ending = Interrupted(signal.SIGTERM)
    ending.server.handle_exit(signal.SIGTERM, None)
    assert ending.times_set == 1
    assert ending.is_set()
    assert ending.server.should_exit
    assert not ending.server.force_exit


def test_a_second_ctrl_c_waits_for_nothing():
    ending = Interrupted(signal.SIGINT)
    ending.server.handle_exit(signal.SIGTERM, None)
    assert ending.server.should_exit
    assert ending.server.force_exit
