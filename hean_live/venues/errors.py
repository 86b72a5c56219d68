"""What can go wrong at a venue, as classes: the class is the policy. Which code means which is in `codes.py`.

Retryable
├── VenueUnreachable    no usable answer to a question; nothing was changed
├── RateLimited         asked too often; nothing was changed
└── ClockSkewed         the signature's time was refused; nothing was changed
StopTrading
└── KeyRefused          the key is wrong, expired or not allowed
SkipSymbol
└── OrderRejected       the venue refused this order
UnknownOutcome
├── OrderUnresolved     an order was sent and its fate is not known
└── DuplicateClientId   the venue already has an order with this id
"""

from __future__ import annotations

from models.errors import Retryable, SkipSymbol, StopTrading, UnknownOutcome


class VenueUnreachable(Retryable):
    """No usable answer came; nothing was changed at the venue."""


class RateLimited(Retryable):
    """The venue asked us to slow down; `wait_s` is how long, in seconds."""

    def __init__(self, message: str, *, wait_s: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.wait_s = wait_s


class ClockSkewed(Retryable):
    """The venue refused the time of a signature."""


class KeyRefused(StopTrading):
    """The key is unknown, expired, for another environment, or not allowed to do this."""


class OrderRejected(SkipSymbol):
    """The venue refused an order; `code` is its return code."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class RequestRefused(SkipSymbol):
    """The venue refused a question; `code` is its return code."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message, remedy="check that the venue lists the configured symbols")
        self.code = code


class OrderUnresolved(UnknownOutcome):
    """An order was sent, and no readable answer came back."""


class DuplicateClientId(UnknownOutcome):
    """The venue already knows this client id: what became of that order has to be asked."""
