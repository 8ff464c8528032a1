"""Subscriptions as billing teams reported them: the state is right, in order and in any order with duplicates."""

import pytest

from tests.support.case_files import names, read
from tests.support.case_runs import wrong_facts

KNOWN_WRONG = {
    "01-final-invoice-of-nothing": (
        "the closing invoice of 0 brings back a user who cancelled: active, activated once more, then grace"
    ),
    "02b-settled-after-cancel": (
        "an invoice settled after the cancellation makes it renew: grace, then on hold, not expired"
    ),
    "03-refund-of-an-upgrade": (
        "the refund of an upgrade takes all access, although the annual plan is paid until December"
    ),
    "04-pause-now-resume-in-period": (
        "resumed within the paid period, it is in grace, not active, and loses access at the period's end"
    ),
    "05-trial-on-an-active-subscription": (
        "the trial given to a payer is lost: grace, then no access, and no reminder"
    ),
    "05d-ask-to-buy-trial": (
        "the approved trial gives no access while the payment is pending, and auto-renew is off ever after"
    ),
    "06-downgrade-pending-then-upgrade": "the downgrade happens although an upgrade replaced it: basic, not max",
    "06c-upgrade-declined": (
        "the declined upgrade turns auto-renew off for the plan that runs, which expires at its end"
    ),
    "07-no-card-trial-converts": (
        "the payment does not turn auto-renew on: expired at once when the renewal is an hour late"
    ),
    "07c-gift-does-not-renew": (
        "auto-renew off in the second of the purchase is lost: the gift renews, and ends in grace"
    ),
    "08-refunded-in-an-inquiry": (
        "the won dispute gives access back although the money was refunded: active, not revoked"
    ),
    "09c-lifetime-over-monthly-one-id": (
        "a monthly payment takes the place of the lifetime that was paid: expired, not active"
    ),
    "10c-backdated-calendar-period": (
        "plan b, billed from a day before the cancellation of plan a, is ignored: expired"
    ),
    "10e-renewal-date-extended": "the view is right, but the extension on January 20 brings the moment `renewed`",
    "11b-card-added-in-no-card-trial": (
        "the second trial-start does not turn auto-renew on: expired when the trial ends"
    ),
    "11d-one-start-for-all-periods": (
        "the failed renewal has no effect: the told end of grace is ignored, and no payment_recovery"
    ),
    "11f-refund-after-the-end": "the refund of a period that was over turns expired into revoked",
    "11h-annual-after-auto-renew-off": "a year bought on another plan leaves auto-renew off",
    "12b-trial-paused-without-card": (
        "the pause after the trial begins only with the payment: grace and on hold, then paused"
    ),
    "12c-downgrade-asked-in-grace": (
        "the downgrade takes effect in grace, not after the period that follows: basic, then premium"
    ),
    "12f-pause-asked-in-trial": "the pause that the trial ignored begins with the payment: paused, not active",
}
"""The cases that do not hold yet, and what is found instead. One that begins to hold fails until it is removed."""


class Wrong(AssertionError):
    """A case's expectation does not hold. A case known to be wrong may fail with this error only."""


def _marked(name: str) -> object:
    reason = KNOWN_WRONG.get(name)
    marks = [pytest.mark.xfail(strict=True, raises=Wrong, reason=reason)] if reason else []
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [_marked(name) for name in names()])
def test_the_case_holds(name: str) -> None:
    if wrong := wrong_facts(read(name)):
        raise Wrong("\n".join(wrong))


def test_only_cases_are_known_to_be_wrong() -> None:
    assert names()
    assert set(KNOWN_WRONG) <= set(names())
