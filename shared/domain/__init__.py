"""The domain rules of subscriptions. Pure: no input or output and no clock; time is an argument."""
