"""Errors for the person at the keyboard. Each text says what is wrong and how to fix it."""

from shared.domain.errors import UpbeatError


class InfraError(UpbeatError):
    """A failure that the person running Upbeat can act on. The command line exits with 1."""


class UsageError(InfraError):
    """Arguments or an input file that make no sense. The command line exits with 2."""
