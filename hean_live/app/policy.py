"""The policy in the executor: a bundle's files to a checked policy, and what it says now of a strategy or symbol.

Without a policy, on an expired one, on one made for a rehearsal elsewhere, everything that comes from the bank shadows and the
reason says why; S1, whose model carries its own evidence, is bound by a veto alone. A person's
veto (``<home>/strategies.json``) works at once. Here belongs reading and asking; fetching is `model_store`'s, acting the gates'.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from models.bundle import verify_bundle
from models.errors import BundleError, ConfigError
from models.learning.instructions import FILE as VETOES_FILE
from models.learning.instructions import parse_instructions
from models.learning.roster import canonical
from models.portfolio.limits import Breach
from models.portfolio.policy import FILE, KIND, LIVE, OFF, Policy, from_text

log = logging.getLogger(__name__)

POLICY_KIND = KIND
LOCAL = "local"
EVERYTHING = "*"
"""Key of a veto on every strategy: the file could not be read."""

_AHEAD_NS = 3_600_000_000_000


def load_policy(contents: Mapping[str, bytes]) -> Policy:
    """Verify a policy bundle and read it.

    Raises
    ------
    BundleError
        If it is corrupt, of another kind, a number is out of range, or it contradicts its manifest.

    """
    manifest = verify_bundle(contents)
    if manifest.kind != POLICY_KIND:
        raise BundleError(f"bundle kind should be {POLICY_KIND}, was {manifest.kind}")
    if FILE not in contents:
        raise BundleError(f"{FILE} should be in the bundle, was not", remedy="run `hean learn`")
    try:
        text = contents[FILE].decode()
    except UnicodeDecodeError as error:
        raise BundleError(f"{FILE} should be text: {error}", remedy="run `hean learn`") from error
    policy = from_text(text)
    if policy.expires_ns != manifest.expires_at_ns:
        raise BundleError(
            f"the policy should expire at {manifest.expires_at_ns}, as its manifest says, was {policy.expires_ns}"
        )
    return policy


@dataclass(frozen=True)
class PolicyView:
    """What the policy says at one moment.

    Attributes
    ----------
    version : str
        Of the bundle, empty for none.
    policy : Policy or None
    refusals : tuple of (reason, words)
        Why nothing may trade live; empty where the policy is in force.
    vetoes : mapping of str to str
        Strategies a person forbids, with the reason; `EVERYTHING` stands for all.

    """

    version: str = ""
    policy: Policy | None = None
    refusals: tuple[tuple[str, str], ...] = (("NO_POLICY", "a policy was expected, none is loaded"),)
    vetoes: Mapping[str, str] = field(default_factory=dict)

    def breach(self, strategy: str) -> Breach | None:
        """Return why a strategy may not open a position live now, None where it may (G10)."""
        name = canonical(strategy)
        vetoed = self.veto(strategy)
        if vetoed is not None:
            return vetoed
        for reason, words in self.refusals:
            return Breach(reason, words)
        own = self.policy.strategy(name) if self.policy else None
        if own is None or own.state != LIVE:
            why = "; ".join(f"{each.word} {each.text}".strip() for each in own.reasons) if own else ""
            return Breach("NOT_PROMOTED", f"{name} is {own.state if own else 'unknown'}: {why}")
        return None

    def veto(self, strategy: str) -> Breach | None:
        """Return a person's veto on a strategy, None without one."""
        name = canonical(strategy)
        for vetoed in (EVERYTHING, name):
            if vetoed in self.vetoes:
                return Breach("VETOED", f"{name}: {self.vetoes[vetoed]}")
        return None

    def is_off(self, strategy: str) -> bool:
        """Whether a strategy is not even to run in shadow."""
        return self.policy is not None and self.policy.strategy(canonical(strategy)).state == OFF

    def share(self, strategy: str) -> float:
        """Fraction of the equity a strategy may use; 0 unless it may trade."""
        if self.policy is None or self.breach(strategy) is not None:
            return 0.0
        return self.policy.strategy(canonical(strategy)).share

    def slippage_buffer_bps(self, symbol: str) -> float:
        """Basis points to add to the costs of a symbol; of an expired policy too, for it is the careful side."""
        return self.policy.symbol(symbol).slippage_buffer_bps if self.policy else 0.0

    def size_factor(self, symbol: str) -> float:
        """Factor on the size of a symbol (G6): 0.2 on probation, else 1; of an expired policy too."""
        return self.policy.symbol(symbol).probation if self.policy else 1.0


def policy_view(
    policy: Policy | None, version: str, now_ns: int, environment: str, vetoes: Mapping[str, str]
) -> PolicyView:
    """Return what a policy says now.

    Parameters
    ----------
    policy : Policy or None
    version : str
    now_ns : int
        Market time.
    environment : str
        ``local`` or ``testnet``; a rehearsal's policy is good for ``local`` only.
    vetoes : mapping of str to str
        From `Vetoes.read`.

    """
    if policy is None:
        return PolicyView(vetoes=vetoes)
    refusals = []
    if now_ns >= policy.expires_ns:
        refusals.append(("POLICY_EXPIRED", f"the policy was good until {_utc(policy.expires_ns)}"))
    if policy.made_at_ns > now_ns + _AHEAD_NS:
        words = f"the policy was made at {_utc(policy.made_at_ns)}, now is {_utc(now_ns)}"
        refusals.append(("POLICY_AHEAD", words))
    if policy.is_rehearsal and environment != LOCAL:
        words = f"the policy rests on synthetic evidence, good for {LOCAL} only, was used on {environment}"
        refusals.append(("POLICY_REHEARSAL", words))
    return PolicyView(version, policy, tuple(refusals), vetoes)


class Vetoes:
    """A person's vetoes, read again whenever the file changes; cheap enough for every poll.

    Parameters
    ----------
    home : Path
        Folder of ``strategies.json``.

    """

    def __init__(self, home: Path) -> None:
        self._path = home / VETOES_FILE
        self._stamp: tuple[int, int, int] | None = None
        self._vetoes: dict[str, str] = {}

    def read(self) -> Mapping[str, str]:
        """Return vetoed strategies with reasons; a file that cannot be read vetoes everything until it is mended."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._vetoes = self._parsed()
                self._stamp = stamp
        except FileNotFoundError:
            self._stamp, self._vetoes = None, {}
        except OSError as error:
            self._stamp, self._vetoes = None, {EVERYTHING: f"{self._path} cannot be read: {error}"}
        return self._vetoes

    def _parsed(self) -> dict[str, str]:
        try:
            instructions = parse_instructions(self._path.read_text(encoding="utf-8"))
        except (ConfigError, UnicodeDecodeError) as error:
            log.error("everything is vetoed: %s", error)
            return {EVERYTHING: f"{self._path} is damaged: {error}"}
        return {name: each.reason for name, each in instructions.items() if each.is_veto}


def _utc(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, tz=UTC).isoformat(timespec="seconds")
