"""What crosses the border: events in, messages out, and the envelope around both."""
