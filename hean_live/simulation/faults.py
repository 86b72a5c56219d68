"""What goes wrong in one simulation, drawn from its seed: which faults, how often, and until when.

Here belongs the drawing. What a fault does to a request is `network.py`'s, to the stream `stream.py`'s, to the
process `session.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Faults of single requests, drawn for each anew. A command that is lost on its way differs from one whose reply is.
LOST_REQUEST = "lost-request"
LOST_REPLY = "lost-reply"
LATE_REQUEST = "late-request"
DOUBLED = "doubled"
SERVER_ERROR = "server-error"
SERVER_ERROR_AFTER = "server-error-after"
RATE_LIMIT = "rate-limit"
REJECT = "reject"
STALE = "stale"
UNREADABLE = "unreadable"
# Faults that last a while.
OUTAGE = "outage"
MAINTENANCE = "maintenance"
SKEW = "skew"
DISCONNECT = "disconnect"
MUTE = "mute"
# Of the process, of the account's owner.
CRASH = "crash"
LOST_JOURNAL = "lost-journal"
KILL = "kill"
BY_HAND = "by-hand"
# Of the shadows, and of the process that must be started anew for them; drawn with them in `script.py`.
BANK_STALLS = "bank-stalls"
BANK_ENDS = "bank-ends"
RESTART = "restart"

OF_REQUESTS = (
    LOST_REQUEST,
    LOST_REPLY,
    LATE_REQUEST,
    DOUBLED,
    SERVER_ERROR,
    SERVER_ERROR_AFTER,
    RATE_LIMIT,
    REJECT,
    STALE,
    UNREADABLE,
)
OF_WINDOWS = (OUTAGE, MAINTENANCE, SKEW, DISCONNECT, MUTE)
OF_THE_WORLD = (CRASH, LOST_JOURNAL, KILL, BY_HAND)
OF_THE_BANK = (BANK_STALLS, BANK_ENDS, RESTART)
ALL = (*OF_REQUESTS, *OF_WINDOWS, *OF_THE_WORLD, *OF_THE_BANK)

_OF_THE_PLAN = (*OF_REQUESTS, *OF_WINDOWS, *OF_THE_WORLD)
_MOST_CRASHES = 4
_STEPS_BETWEEN_CRASHES = 900.0


@dataclass(frozen=True)
class Window:
    """A fault that lasts from `start_s` to `end_s` after the beginning."""

    kind: str
    start_s: float
    end_s: float


@dataclass
class FaultPlan:
    """The faults of one seed.

    Attributes
    ----------
    until_s : float
        No new fault begins after this many seconds; the system is then given time to come to rest.
    rates : dict of str to float
        Probability of each fault of requests, per request.
    windows : list of Window
    crash_steps : list of int
        After how many steps (statements of the journal, sides of a request) each life of the process ends.
    loses_journal : bool
        Whether the first life's journal is lost with it, as on a dead disk.
    kill_s : float or None
        When the kill switch is tripped by hand.
    by_hand_s : list of float
        When the account's owner closes something by hand.

    """

    until_s: float
    rates: dict[str, float] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    crash_steps: list[int] = field(default_factory=list)
    loses_journal: bool = False
    kill_s: float | None = None
    by_hand_s: list[float] = field(default_factory=list)

    def active(self, kind: str, at_s: float) -> bool:
        """Return whether a lasting fault is on."""
        return any(window.kind == kind and window.start_s <= at_s < window.end_s for window in self.windows)


def draw_plan(generator: np.random.Generator, allowed: tuple[str, ...], until_s: float) -> FaultPlan:
    """Draw the faults of one seed from those allowed.

    Parameters
    ----------
    generator : numpy.random.Generator
    allowed : tuple of str
        Names of `ALL`.
    until_s : float
        When faults end.

    """
    plan = FaultPlan(until_s)
    # Some histories are calm, some are full of trouble: each fault is on with a probability of the seed's own.
    trouble = float(generator.random())
    chosen = [kind for kind in _OF_THE_PLAN if generator.random() < trouble and kind in allowed]
    for kind in chosen:
        if kind in OF_REQUESTS:
            plan.rates[kind] = float(generator.choice((0.03, 0.15, 0.4)))
        elif kind in OF_WINDOWS:
            for _ in range(int(generator.integers(1, 4))):
                start = float(generator.uniform(0, until_s))
                length = float(generator.choice((1.0, 5.0, 20.0, 60.0)))
                plan.windows.append(Window(kind, start, min(start + length, until_s)))
    if CRASH in chosen:
        count = int(generator.integers(1, _MOST_CRASHES + 1))
        plan.crash_steps = [1 + int(generator.exponential(_STEPS_BETWEEN_CRASHES)) for _ in range(count)]
    if LOST_JOURNAL in chosen:
        plan.loses_journal = True
        plan.crash_steps = plan.crash_steps or [1 + int(generator.exponential(_STEPS_BETWEEN_CRASHES))]
    if KILL in chosen:
        plan.kill_s = float(generator.uniform(0, until_s))
    if BY_HAND in chosen:
        plan.by_hand_s = sorted(float(generator.uniform(0, until_s)) for _ in range(2))
    return plan
