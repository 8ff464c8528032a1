import threading

import pytest

from infra.console.errand import MAX_LINES, Errands
from infra.errors import InfraError
from tests.support.watching import eventually


def ended(errands):
    return eventually(lambda: errands.last.done)


def test_an_errand_is_told_line_by_line_until_it_is_done():
    errands, go_on = Errands(), threading.Event()

    def work(tell):
        tell("first")
        go_on.wait()
        tell("second")

    errands.start("some work", work)
    assert eventually(lambda: [*errands.last.lines] == ["first"])
    assert (errands.last.title, errands.last.done) == ("some work", False)
    with pytest.raises(InfraError, match="found: some work"):
        errands.start("more", work)
    go_on.set()
    assert ended(errands)
    assert ([*errands.last.lines], errands.last.problem) == (["first", "second"], "")
    errands.start("more", work)
    assert ended(errands)
    assert errands.last.title == "more"


def test_an_errand_that_fails_says_why():
    def work(_tell):
        raise InfraError("the functions take too long")

    errands = Errands()
    errands.start("some work", work)
    assert ended(errands)
    assert errands.last.problem == "the functions take too long"


def test_a_mistake_in_an_errand_is_logged_and_does_not_block_the_next(caplog):
    errands = Errands()
    errands.start("some work", lambda _tell: 1 / 0)
    assert ended(errands)
    assert "ZeroDivisionError" in errands.last.problem
    assert "some work" in caplog.text
    errands.start("more", lambda tell: [tell(str(number)) for number in range(MAX_LINES + 1)])
    assert ended(errands)
    assert len(errands.last.lines) == MAX_LINES
