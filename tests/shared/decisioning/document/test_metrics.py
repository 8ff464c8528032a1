"""A metric of an experiment is something that the warehouse can count."""

import pytest

from shared.decisioning.document.vocabulary import _metric
from shared.domain.moments import NOT_TOLD, MomentKind


@pytest.mark.parametrize("kind", sorted(NOT_TOLD))
def test_a_moment_that_no_message_tells_is_no_metric(kind: MomentKind) -> None:
    with pytest.raises(ValueError, match="the name of a moment or of a kind of feedback"):
        _metric(kind.value)


@pytest.mark.parametrize("kind", sorted(set(MomentKind) - NOT_TOLD))
def test_every_other_moment_is_a_metric(kind: MomentKind) -> None:
    assert _metric(kind.value) == kind.value
