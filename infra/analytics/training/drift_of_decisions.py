"""Drift between decisions of a warehouse: the source of the query, with what happened after each decision."""

from infra.analytics.training.outcomes import PAYMENT, Outcome
from infra.analytics.training.score_sql import in_context, text_literal
from infra.errors import UsageError
from shared.decisioning.scoring.score import Score


def of_decisions(score: Score, outcome: Outcome | None = None) -> str:
    """The source over the decisions that computed the score.

    The periods are the days (UTC) from @before_from to @before_to and from @now_from to @now_to, without the last.
    With an outcome, `label` says whether it came after each decision, NULL while its time is not over at @now_to.
    Raises `UsageError` for feedback, which is about offers.
    """
    if outcome and outcome.of_offer:
        raise UsageError(f"--label: expected payment or a kind of moment, found {outcome.what}")
    within = "publish_date >= @before_from AND publish_date < @now_to"
    value = f"SAFE_CAST({in_context(f'scores.{score.name}')} AS FLOAT64)"
    period = (
        "CASE WHEN publish_date >= @before_from AND publish_date < @before_to THEN 'before'"
        " WHEN publish_date >= @now_from THEN 'now' END"
    )
    decisions = (
        f"SELECT decision_id, user_id, decided_at, context, {value} AS score, {period} AS period"  # noqa: S608 - literals
        f" FROM stg_decision WHERE {within} AND {value} IS NOT NULL"
    )
    if outcome is None:
        return decisions
    end = f"TIMESTAMP_ADD(decided.decided_at, INTERVAL {outcome.within.days} DAY)"
    found = f"{'NOT ' if outcome.is_absence else ''}LOGICAL_OR(later.user_id IS NOT NULL)"
    label = f"CASE WHEN {end} <= TIMESTAMP(@now_to) THEN {found} END AS label"
    after = f"later.happened_at > decided.decided_at AND later.happened_at <= {end}"
    return (
        f"SELECT decided.decision_id, decided.period, decided.score, {label}"  # noqa: S608 - literals
        f" FROM ({decisions}) AS decided"
        f" LEFT JOIN ({_happened(outcome)}) AS later ON later.user_id = decided.user_id AND {after}"
        " GROUP BY decided.decision_id, decided.period, decided.score, decided.decided_at"
    )


def _happened(outcome: Outcome) -> str:
    """The query for the users to whom it happened, and when."""
    if outcome.what == PAYMENT:
        return (
            "SELECT user_id, occurred_at AS happened_at FROM stg_payment"
            " WHERE publish_date >= @before_from AND outcome = 'succeeded'"
        )
    kind = text_literal(outcome.what)
    return f"SELECT user_id, `at` AS happened_at FROM moments WHERE moment_date >= @before_from AND kind = {kind}"  # noqa: S608
