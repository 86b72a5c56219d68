"""The error tree of HEAN; the class of an error is the policy for it.

    HeanError
    ├── ConfigError      a setting is wrong: nothing starts until a person mends it
    ├── StopTrading      trading must stop until a person looks
    ├── Retryable        usually resolves itself: back off and try again
    ├── SkipSymbol       this symbol cannot be handled now; the others go on
    ├── UnknownOutcome   a command was sent and its result is not known: ask the venue, never resend
    ├── DataError        data are missing, malformed or contradict themselves
    └── BundleError      a model bundle is corrupt, expired or made for other features

Each package adds its own subclasses next to the code that raises them. What does not belong here: handling.
"""

from __future__ import annotations


class HeanError(Exception):
    """Base of every error HEAN raises on purpose.

    Parameters
    ----------
    message : str
        What was expected and what was found.
    remedy : str, optional
        What the user can do about it; printed on its own line.

    """

    exit_code: int = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class ConfigError(HeanError):
    """A setting is missing, unknown or contradicts another."""

    exit_code = 2


class StopTrading(HeanError):
    """Trading must stop until a person has looked."""

    exit_code = 3


class Retryable(HeanError):
    """A temporary failure that usually resolves itself."""

    exit_code = 4


class SkipSymbol(HeanError):
    """One symbol cannot be handled now; the others go on."""

    exit_code = 5


class UnknownOutcome(HeanError):
    """A command was sent and its outcome is not known."""

    exit_code = 6


class DataError(HeanError):
    """Data are missing, malformed or contradict themselves."""

    exit_code = 7


class BundleError(HeanError):
    """A model bundle is corrupt, expired or was made for other features."""

    exit_code = 8
