"""The person at the keyboard, for what stays on record."""

import getpass


def user_name() -> str:
    """The name of this machine's user; empty if it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
