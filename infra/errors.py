"""Errors for the person at the keyboard: each text says what is wrong and what to do about it."""

from shared.domain.errors import UpbeatError


class InfraError(UpbeatError):
    """Something failed that the person running Upbeat can act on; the command line exits with 1."""


class UsageError(InfraError):
    """What was asked for makes no sense; the command line exits with 2."""
