"""Upbeat's Pub/Sub topics, by their names on the bus."""

from enum import StrEnum


class Topic(StrEnum):
    """Every topic: the first seven are inbound, the others outbound. Upbeat's clock publishes `lifecycle-due`."""

    TRIAL_START = "trial-start"
    PAYMENT = "payment"
    CHURN_SIGNAL = "churn-signal"
    TRIGGER_FEEDBACK = "trigger-feedback"
    USER_ERASURE = "user-erasure"
    LIFECYCLE_CLOCK = "lifecycle-clock"
    LIFECYCLE_DUE = "lifecycle-due"
    UPSELL_TRIGGER = "upsell-trigger"
    SUBSCRIPTION_CHANGE = "subscription-change"
    DECISION = "decision"
    EXPOSURE = "exposure"
    DEAD_LETTER = "dead-letter"
    CATALOG_PUBLISHED = "catalog-published"
