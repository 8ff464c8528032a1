"""Cloud Function for `trial-start`: folds the start of a trial into the user's subscription."""

from shared.contracts.topics import Topic
from shared.entrypoints.pubsub import event_function

trial_start = event_function(Topic.TRIAL_START)
