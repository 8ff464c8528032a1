"""A payment happened: folds it into the user's subscription."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

payment = event_function(Topic.PAYMENT)
