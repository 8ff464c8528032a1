"""The console: web pages of a running Upbeat, of a cloud project, or of a replay's store."""
