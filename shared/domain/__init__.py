"""The rules of subscriptions, pure: no input or output, no clock, time is an argument."""
