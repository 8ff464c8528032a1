"""A running Upbeat seen from outside, on the emulators or in a cloud project."""
