"""Cloud Function for `churn-signal`: folds a signal into the subscription, or records the user's behaviour."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

churn_signal = event_function(Topic.CHURN_SIGNAL)
