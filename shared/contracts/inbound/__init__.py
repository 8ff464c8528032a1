"""Events in: the push envelope, one model for each topic, and the refusals."""
