"""The signatures of every CMS: what is accepted, and why each forged webhook is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.cms.signed_request import Refused, SignedRequest
from tests.support.webhooks import SAID, SCHEMES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEYOND = timedelta(minutes=5, milliseconds=1)
MILLIS = int(NOW.timestamp() * 1000)
FORGED = [
    pytest.param(scheme, forged, reason, id=f"{cms}: {what}")
    for cms, scheme in SCHEMES.items()
    for what, forged, reason in scheme.forged(MILLIS)
]


@pytest.mark.parametrize(("scheme", "forged", "reason"), FORGED)
def test_a_forged_webhook_is_refused_with_its_reason_and_without_the_secret_or_its_own_words(
    scheme, forged, reason
):
    with pytest.raises(Refused) as refused:
        scheme.verify(forged, scheme.secret, NOW)
    assert refused.value.reason == reason
    assert scheme.secret not in str(refused.value)
    assert SAID not in str(refused.value)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_each_cms_has_more_than_ten_forgeries(scheme):
    assert len({what for what, _, _ in scheme.forged(MILLIS)}) > 10


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_a_webhook_is_accepted_up_to_five_minutes_before_and_after(scheme):
    good = scheme.good(MILLIS)
    around = (NOW + timedelta(minutes=minutes) for minutes in (-5, 0, 5))
    signatures = {scheme.verify(good, scheme.secret, now) for now in around}
    assert len(signatures) == 1
    for moment, reason in ((BEYOND, "too_old"), (-BEYOND, "from_the_future")):
        with pytest.raises(Refused, match=reason):
            scheme.verify(good, scheme.secret, NOW + moment)
    assert scheme.verify(scheme.good(MILLIS + 1), scheme.secret, NOW) not in signatures


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@given(data=st.data())
@settings(max_examples=25)
def test_a_webhook_with_any_changed_byte_is_refused(scheme, data):
    good = scheme.good(MILLIS)
    at = data.draw(st.integers(0, len(good.body) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good.body[at]))
    body = good.body[:at] + bytes([other]) + good.body[at + 1 :]
    with pytest.raises(Refused, match="wrong_signature"):
        scheme.verify(good._replace(body=body), scheme.secret, NOW)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@given(value=st.text(max_size=100))
@settings(max_examples=25)
def test_whatever_stands_in_the_headers_is_refused_with_a_reason(scheme, value):
    headers = [(name, value) for name, _ in scheme.good(MILLIS).headers]
    with pytest.raises(Refused):
        scheme.verify(SignedRequest("POST", "/", "", headers, scheme.body), scheme.secret, NOW)
