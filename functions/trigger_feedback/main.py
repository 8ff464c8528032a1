"""Cloud Function for `trigger-feedback`: records a consumer's report about a trigger."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

trigger_feedback = event_function(Topic.TRIGGER_FEEDBACK)
