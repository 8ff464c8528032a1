"""The clock ticked: sends a message for each user for whom something is due."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import clock_function

lifecycle_clock = clock_function(Topic.LIFECYCLE_CLOCK)
