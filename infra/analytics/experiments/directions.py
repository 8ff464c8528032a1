"""The direction of each metric that is harm."""

from shared.domain.events import FeedbackKind
from shared.domain.moments import MomentKind

HARMED_BY_MORE = frozenset(
    {
        MomentKind.TRIAL_ENDED,
        MomentKind.PAYMENT_FAILED,
        MomentKind.AUTO_RENEW_OFF,
        MomentKind.PAUSED,
        MomentKind.EXPIRED,
        MomentKind.LAPSED,
        MomentKind.REFUNDED,
        MomentKind.CHURN_RISK_RAISED,
        MomentKind.FEEDBACK_ABSENT,
        MomentKind.FEEDBACK_DISMISSED,
        FeedbackKind.DISMISSED,
    }
)
"""The metrics of which more is worse. Of all others less is worse: renewals, revenue, days with access."""


def harm_of(metric: str) -> int:
    """1 if more of the metric is harm, -1 if less of it is."""
    return 1 if metric in HARMED_BY_MORE else -1
