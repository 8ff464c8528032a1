"""Cloud Function for `user-erasure`: forgets everything about a user up to an instant."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

user_erasure = event_function(Topic.USER_ERASURE)
