"""Something of a user's is due: decides all that time has brought."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

lifecycle_due = event_function(Topic.LIFECYCLE_DUE)
