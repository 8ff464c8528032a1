"""Cloud Function for `lifecycle-due`: decides everything that has become due for one user."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

lifecycle_due = event_function(Topic.LIFECYCLE_DUE)
