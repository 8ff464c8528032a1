"""Rebuild: users' documents made again from the raw log, and compared with those that live."""
