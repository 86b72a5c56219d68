"""Policy: what the learning loops have decided, as one versioned, hashed JSON document.

Here belong the document, its ranges, and writing and reading it; a number out of range is refused, never clipped. How a policy
follows from what was measured belongs to ``models.learning``, acting on it to the executor.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, NoReturn

from models.errors import BundleError

KIND: Final = "policy"
FILE: Final = "policy.json"
SCHEMA: Final = 1

LIVE: Final = "live"
SHADOW: Final = "shadow"
OFF: Final = "off"
STATES: Final = (LIVE, SHADOW, OFF)

PROMOTED: Final = "PROMOTED"
RETAINED: Final = "RETAINED"
PINNED_LIVE: Final = "PINNED_LIVE"
GROUNDS_TO_TRADE: Final = frozenset({PROMOTED, RETAINED, PINNED_LIVE})
"""Reason words of which a strategy that trades live carries one."""

MOST_BUFFER_BPS: Final = 20.0
PROBATION: Final = 0.2
FREE: Final = 1.0
MOST_SHARE: Final = 0.40
MOST_SHARES: Final = 0.80
MOST_VALID_NS: Final = 7 * 86_400_000_000_000
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Reason:
    """Why: a `word` for machines and tables, and the arithmetic in `text`."""

    word: str
    text: str = ""


@dataclass(frozen=True)
class StrategyPolicy:
    """What a strategy may do.

    Attributes
    ----------
    state : str
        ``live``, ``shadow`` or ``off`` (not even in shadow).
    reasons : tuple of Reason
    share : float
        Fraction of the equity; 0 unless the state is live.
    base_share : float
        Fraction it would have if every strategy were live: what it starts toward, for information.

    """

    state: str = SHADOW
    reasons: tuple[Reason, ...] = ()
    share: float = 0.0
    base_share: float = 0.0


@dataclass(frozen=True)
class SymbolPolicy:
    """How a symbol is traded.

    Attributes
    ----------
    slippage_buffer_bps : float
        Added to the costs an expected edge must beat (G5).
    buffer_raised_ns : int
        When the buffer was last raised, 0 if never: older trades do not raise it again.
    probation : float
        Factor on the size: 0.2 or 1.
    probation_since_ns : int
        When the present probation began, or the last one ended; 0 if there was none.
    reasons : tuple of Reason

    """

    slippage_buffer_bps: float = 0.0
    buffer_raised_ns: int = 0
    probation: float = FREE
    probation_since_ns: int = 0
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class GateFigure:
    """What a gate cost or saved, for information, over the shadow trades it blocked.

    Attributes
    ----------
    trades : int
    net_bps, low_bps, high_bps : float or None
        Mean net result with its 95 % interval, None where data do not suffice: positive means that the gate cost money.
    net_usd : float
        Their sum.
    verdict : str

    """

    trades: int
    net_bps: float | None
    low_bps: float | None
    high_bps: float | None
    net_usd: float
    verdict: str


@dataclass(frozen=True)
class Policy:
    """What the loops have decided.

    Attributes
    ----------
    made_at_ns, expires_ns : int
        Market time; nothing trades live on an expired policy.
    number : int
        1 for the first, one more for each that follows.
    previous : str
        Digest of the policy this one is a bounded step from, empty for the first.
    is_rehearsal : bool
        True where synthetic evidence was let count: valid on the local testnet only.
    matrix_version : str
        Version of the regime-performance matrix at that time, empty for none.
    reasons : tuple of Reason
    strategies, symbols, gates : mapping by name

    """

    made_at_ns: int
    expires_ns: int
    number: int = 1
    previous: str = ""
    is_rehearsal: bool = False
    matrix_version: str = ""
    reasons: tuple[Reason, ...] = ()
    strategies: Mapping[str, StrategyPolicy] = field(default_factory=dict)
    symbols: Mapping[str, SymbolPolicy] = field(default_factory=dict)
    gates: Mapping[str, GateFigure] = field(default_factory=dict)

    def strategy(self, name: str) -> StrategyPolicy:
        """Return what a strategy may do; one that is not named shadows."""
        unknown = StrategyPolicy(reasons=(Reason("NOT_IN_POLICY", f"{name} is not named by the policy"),))
        return self.strategies.get(name, unknown)

    def symbol(self, name: str) -> SymbolPolicy:
        """Return how a symbol is traded; one that is not named has no buffer and is free."""
        return self.symbols.get(name, SymbolPolicy())

    @property
    def digest(self) -> str:
        """SHA-256 of the document without its own hash, hexadecimal."""
        return hashlib.sha256(_text(_body(self)).encode()).hexdigest()


def to_text(policy: Policy) -> str:
    """Write a policy as JSON with its digest under ``sha256``.

    Raises
    ------
    BundleError
        If a number is out of range: such a policy could not be read again.

    """
    body = _body(policy)
    check(policy)
    return json.dumps({**body, "sha256": policy.digest}, indent=1, sort_keys=True, allow_nan=False) + "\n"


def from_text(text: str) -> Policy:
    """Read a policy.

    Raises
    ------
    BundleError
        If it is not JSON of this schema, its hash is another, or a key or number is wrong; the message names the place.

    """
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise _refused(f"should be JSON: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        found = body.get("schema") if isinstance(body, dict) else type(body).__name__
        raise _refused(f"schema should be {SCHEMA}, was {found}")
    claimed = body.pop("sha256", "")
    digest = hashlib.sha256(_text(body).encode()).hexdigest()
    if claimed != digest:
        raise _refused(f"SHA-256 should be {digest[:12]}…, was {str(claimed)[:12]}…")
    body.pop("schema")
    try:
        made = {
            **body,
            "strategies": {k: _made(StrategyPolicy, v, k) for k, v in body["strategies"].items()},
            "symbols": {k: _made(SymbolPolicy, v, k) for k, v in body["symbols"].items()},
            "gates": {k: _made(GateFigure, v, k) for k, v in body["gates"].items()},
        }
        policy: Policy = _made(Policy, made, "the policy")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refused(f"should have the fields of schema {SCHEMA}: {error}") from error
    check(policy)
    return policy


def check(policy: Policy) -> None:
    """Refuse a policy with a number out of range.

    Raises
    ------
    BundleError
        Naming the place, the range and what was found.

    """
    _whole("made_at_ns", policy.made_at_ns, 0)
    _whole("expires_ns", policy.expires_ns, policy.made_at_ns, policy.made_at_ns + MOST_VALID_NS)
    _whole("number", policy.number, 1)
    for key, kind in (("is_rehearsal", bool), ("matrix_version", str), ("previous", str)):
        if not isinstance(getattr(policy, key), kind):
            raise _refused(f"{key} should be {kind.__name__}, was {getattr(policy, key)!r}")
    for name, strategy in policy.strategies.items():
        _check_strategy(f"strategies.{name}", strategy)
    for name, symbol in policy.symbols.items():
        _check_symbol(f"symbols.{name}", symbol)
    for name, gate in policy.gates.items():
        _whole(f"gates.{name}.trades", gate.trades, 0)
        for key in ("net_bps", "low_bps", "high_bps"):
            if getattr(gate, key) is not None:
                _number(f"gates.{name}.{key}", getattr(gate, key), -math.inf, math.inf)
        _number(f"gates.{name}.net_usd", gate.net_usd, -math.inf, math.inf)
    _number("sum of shares", sum(each.share for each in policy.strategies.values()), 0.0, MOST_SHARES)


def _check_strategy(place: str, strategy: StrategyPolicy) -> None:
    if strategy.state not in STATES:
        raise _refused(f"{place}.state should be one of {', '.join(STATES)}, was {strategy.state!r}")
    _number(f"{place}.share", strategy.share, 0.0, MOST_SHARE if strategy.state == LIVE else 0.0)
    _number(f"{place}.base_share", strategy.base_share, 0.0, MOST_SHARE)
    words = {reason.word for reason in strategy.reasons}
    if strategy.state == LIVE and not words & GROUNDS_TO_TRADE:
        raise _refused(
            f"{place} is live and should say {' or '.join(sorted(GROUNDS_TO_TRADE))}, said {sorted(words)}"
        )


def _check_symbol(place: str, symbol: SymbolPolicy) -> None:
    _number(f"{place}.slippage_buffer_bps", symbol.slippage_buffer_bps, 0.0, MOST_BUFFER_BPS)
    _whole(f"{place}.buffer_raised_ns", symbol.buffer_raised_ns, 0)
    _whole(f"{place}.probation_since_ns", symbol.probation_since_ns, 0)
    if symbol.probation not in (PROBATION, FREE):
        raise _refused(f"{place}.probation should be {PROBATION} or {FREE}, was {symbol.probation}")


def _number(place: str, value: object, low: float, high: float) -> None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not known or not low - _ROUNDING <= float(value) <= high + _ROUNDING:  # type: ignore[arg-type]
        raise _refused(f"{place} should be a number from {low:g} to {high:g}, was {value!r}")


def _whole(place: str, value: object, low: int, high: int = 2**63 - 1) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _refused(f"{place} should be a whole number from {low} to {high}, was {value!r}")


def _made(kind: Any, body: Mapping[str, Any], name: str) -> Any:
    expected = {each.name for each in fields(kind)}
    if set(body) != expected:
        raise ValueError(
            f"{name} lacks {sorted(expected - set(body))} and has also {sorted(set(body) - expected)}"
        )
    reasons = {"reasons": tuple(Reason(**row) for row in body["reasons"])} if "reasons" in expected else {}
    return kind(**{**body, **reasons})


def _body(policy: Policy) -> dict[str, Any]:
    return {"schema": SCHEMA, **asdict(policy)}


def _text(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _refused(words: str) -> BundleError:
    return BundleError(
        f"policy: {words}", remedy="set the alias back to a sound version, or run `hean learn`"
    )
