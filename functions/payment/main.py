"""Cloud Function for `payment`: folds a payment into the user's subscription."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

payment = event_function(Topic.PAYMENT)
