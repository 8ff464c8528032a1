"""Money: each payment once, what went back once, and the campaign that led to it."""

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from tests.support.raw_rows import (
    Warehouse,
    letter,
    paid,
    text,
    trigger,
    verdict,
)


def period(days):
    return {"period_start": text(days), "period_end": text(days + 30)}


WRONG = paid("a rejected payment", 0, "r", amount=-7)
LIVES = {
    # user: events, and the movements (kind, amount, currency) in order of time
    "a payment": ([paid("a payment", 0, "1")], [("payment", 999, "EUR")]),
    "a payment told twice by its id": (
        [paid("a payment told twice by its id", 0, "1", payment_id="p"),
         paid("a payment told twice by its id", 1, "2", payment_id="p", **period(0))],
        [("payment", 999, "EUR")],
    ),
    "a payment told twice by its period": (
        [paid("a payment told twice by its period", 0, "1"),
         paid("a payment told twice by its period", 0, "2", payment_id="p")],
        [("payment", 999, "EUR")],
    ),
    "a payment told as free and then with its amount": (
        [paid("a payment told as free and then with its amount", 0, "1", amount=0, payment_id="p"),
         paid("a payment told as free and then with its amount", 1, "2", amount=5, payment_id="p")],
        [("payment", 5, "EUR")],
    ),
    "two payments of one period start": (
        [paid("two payments of one period start", 0, "1", payment_id="p"),
         paid("two payments of one period start", 0, "2", payment_id="q")],
        [("payment", 999, "EUR"), ("payment", 999, "EUR")],
    ),
    "a failure": ([verdict("a failure", 0, "1", "failed", amount=999, currency="EUR")], []),
    "a sandbox": ([paid("a sandbox", 0, "1", environment="sandbox")], []),
    "a rejected payment": ([WRONG, letter(WRONG)], []),
    "a refund by id": (
        [paid("a refund by id", 0, "1", payment_id="p"),
         verdict("a refund by id", 1, "2", "refunded", payment_id="p")],
        [("payment", 999, "EUR"), ("refund", -999, "EUR")],
    ),
    "a refund by its period": (
        [paid("a refund by its period", 0, "1"),
         verdict("a refund by its period", 1, "2", "refunded", period_start=text(0))],
        [("payment", 999, "EUR"), ("refund", -999, "EUR")],
    ),
    "a refund told twice": (
        [paid("a refund told twice", 0, "1", payment_id="p"),
         *(verdict("a refund told twice", 1 + n, f"r{n}", "refunded", payment_id="p") for n in range(2))],
        [("payment", 999, "EUR"), ("refund", -999, "EUR")],
    ),
    "a part, and then the rest": (
        [paid("a part, and then the rest", 0, "1", payment_id="p"),
         verdict("a part, and then the rest", 1, "2", "refunded", payment_id="p", partial=True, amount=300,
                 currency="EUR"),
         verdict("a part, and then the rest", 2, "3", "refunded", payment_id="p")],
        [("payment", 999, "EUR"), ("refund", -300, "EUR"), ("refund", -699, "EUR")],
    ),
    "a refund reversed": (
        [paid("a refund reversed", 0, "1", payment_id="p"),
         verdict("a refund reversed", 1, "2", "refunded", payment_id="p"),
         verdict("a refund reversed", 2, "3", "refund_reversed", payment_id="p")],
        [("payment", 999, "EUR"), ("refund", -999, "EUR"), ("reversal", 999, "EUR")],
    ),
    "a dispute that is open, and one that is won at once": (
        [paid("a dispute that is open, and one that is won at once", 0, "1", payment_id="p"),
         verdict("a dispute that is open, and one that is won at once", 1, "2", "disputed", payment_id="p"),
         verdict("a dispute that is open, and one that is won at once", 2, "3", "dispute_won", payment_id="p")],
        [("payment", 999, "EUR")],
    ),
    "a dispute lost and then won": (
        [paid("a dispute lost and then won", 0, "1", payment_id="p"),
         verdict("a dispute lost and then won", 1, "2", "dispute_lost", payment_id="p"),
         verdict("a dispute lost and then won", 2, "3", "dispute_won", payment_id="p")],
        [("payment", 999, "EUR"), ("refund", -999, "EUR"), ("reversal", 999, "EUR")],
    ),
    "a refund before its payment arrives": (
        [verdict("a refund before its payment arrives", 0, "2", "refunded", payment_id="p"),
         paid("a refund before its payment arrives", 0, "1", published=3, payment_id="p")],
        [("payment", 999, "EUR"), ("refund", -999, "EUR")],
    ),
    "a refund of what nobody knows": (
        [verdict("a refund of what nobody knows", 0, "1", "refunded", payment_id="p")],
        [("refund", 0, "XXX")],
    ),
    "a refund of another subscription's payment": (
        [paid("a refund of another subscription's payment", 0, "1", payment_id="p", subscription_id="s"),
         verdict("a refund of another subscription's payment", 1, "2", "refunded", payment_id="p", amount=5,
                 currency="USD")],
        [("payment", 999, "EUR"), ("refund", -5, "USD")],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def built():
    warehouse = Warehouse(*(row for rows, _ in LIVES.values() for row in _apart(rows)))
    warehouse.run("revenue")
    yield warehouse
    warehouse.close()


def _apart(rows):
    """The events with ids that no other user's events have."""
    return [
        (topic, one._replace(data=one.data.replace(b'"event_id": "', b'"event_id": "' + _user(one.data))))
        if topic == "payment"
        else (topic, one)
        for topic, one in rows
    ]


def _user(data):
    return data.split(b'"user_id": "')[1].split(b'"')[0].replace(b" ", b"_") + b"-"


@pytest.mark.parametrize("user", LIVES)
def test_money_moves_once_for_what_happened_once(built, user):
    found = built.read("money_movements", "at, kind, amount, currency", "user_id = @user", user=user)
    movements = [row[1:] for row in sorted(found, key=lambda row: (row[0], row[1]))]
    assert movements == LIVES[user][1]


def test_revenue_adds_up_to_the_movements(built):
    (moved,) = built.read("money_movements", "SUM(amount) AS amount")
    (told,) = built.read("revenue", "SUM(amount) - SUM(refunded_amount) AS amount")
    assert moved == told
    (payments,) = built.read("revenue", "SUM(payments) AS payments, SUM(refunds) AS refunds")
    expected = [kind for _, movements in LIVES.values() for kind, *_ in movements]
    assert payments == (expected.count("payment"), expected.count("refund"))


def test_a_payment_belongs_to_the_campaign_of_the_trigger_that_it_names():
    warehouse = Warehouse(
        trigger("u", 1),
        paid("u", 2, "a", trigger_id="u-1-upgrade", payment_id="a"),
        paid("u", 3, "b", trigger_id="nobody-knows"),
        paid("u", 3.5, "c"),
        verdict("u", 4, "r", "refunded", payment_id="a"),
    )
    warehouse.run("revenue")
    found = warehouse.read("revenue", "day, campaign_id, payments, amount, refunds, refunded_amount")
    assert sorted(((str(day), *rest) for day, *rest in found), key=repr) == [
        ("2026-01-03", "upgrade", 1, 999, 0, 0),
        ("2026-01-04", None, 2, 1998, 0, 0),
        ("2026-01-05", "upgrade", 0, 0, 1, 999),
    ]
