"""Clients for a running Upbeat, on the emulators or in a cloud project."""
