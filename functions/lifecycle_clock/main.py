"""Cloud Function for `lifecycle-clock`: publishes one message per due user at each tick."""

from shared.contracts.topics import Topic
from shared.entrypoints.clock import clock_function

lifecycle_clock = clock_function(Topic.LIFECYCLE_CLOCK)
