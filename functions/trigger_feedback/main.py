"""A consumer says what became of a trigger: notes it with the trigger."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

trigger_feedback = event_function(Topic.TRIGGER_FEEDBACK)
