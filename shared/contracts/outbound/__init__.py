"""Messages out: one model for each topic that Upbeat publishes."""
