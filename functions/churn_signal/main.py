"""A churn signal was seen: folds it into the user's subscription, or notes how the user behaves."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

churn_signal = event_function(Topic.CHURN_SIGNAL)
