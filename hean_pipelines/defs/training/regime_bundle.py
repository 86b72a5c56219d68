"""From minute closes in the lake to a bundle of regime models, and whether it takes the champion's place.

Here belong reading closes, packing, and the comparison with the champion; runs and assets are in `regime_hmm`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hean_pipelines.defs.training.regime_hmm import CLOSES
from hean_pipelines.versions import code_version
from models.bundle import build_bundle, verify_bundle
from models.cascade.promotion import decide_paired
from models.errors import BundleError
from models.funding.promotion import Decision, first_champion
from models.regimes.bundle import HMM_SPEC_HASH, KIND, RegimeModels, check_golden_rows, golden_rows
from models.regimes.selection import MEMORY_NS, MINUTE_NS, Returns, Selected, filtered, minute_returns

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.resources.registry import Registry
    from hean_pipelines.settings import PipelineSettings

REGISTERED = "hean-regime-hmm"
LEAST_MINUTES = 1440
DAY_NS = 86_400_000_000_000
_SAME = 1e-12


@dataclass(frozen=True)
class Packed:
    """A bundle ready to be registered, with what is said about it."""

    files: dict[str, bytes]
    trained_through_ns: int
    expires_at_ns: int
    code_version: str
    data_version: str


def read_returns(settings: PipelineSettings, days: int) -> dict[str, Returns]:
    """Read one-minute returns of the mark price of every symbol with a day's worth of them.

    Parameters
    ----------
    settings : PipelineSettings
    days : int
        Newest days of each symbol.

    """
    import polars as pl

    from hean_pipelines.resources.lake import Lake

    lake = Lake(settings.lake_root)
    found = {}
    for symbol in lake.symbols(CLOSES):
        dates = sorted(lake.dates(CLOSES, symbol))[-days:]
        if not dates:
            continue
        frame = lake.scan(CLOSES, [symbol], dates[0], dates[-1]).select("ts", "close").collect()
        frame = frame.filter(pl.col("close").is_finite() & (pl.col("close") > 0.0)).sort("ts")
        returns = minute_returns(
            frame.get_column("ts").to_numpy().astype(np.int64) + MINUTE_NS,  # a bar is stamped with its open
            frame.get_column("close").to_numpy().astype(np.float64),
        )
        if len(returns.bps) >= LEAST_MINUTES and float(np.ptp(returns.bps)) > 0.0:
            found[symbol] = returns
    return found


def pack(
    returns: Mapping[str, Returns],
    chosen: Mapping[str, Selected],
    valid_days: float,
    evidence: dict[str, Any],
) -> Packed:
    """Pack the chosen models of all symbols."""
    models = RegimeModels({symbol: own.model for symbol, own in chosen.items()})
    through = max(int(returns[symbol].at_ns[-1]) for symbol in chosen)
    golden = golden_rows(models, {symbol: returns[symbol].bps for symbol in chosen})
    digest = hashlib.sha256()
    for symbol in sorted(chosen):
        digest.update(symbol.encode() + returns[symbol].at_ns.tobytes() + returns[symbol].bps.tobytes())
    code, data = code_version(), digest.hexdigest()[:16]
    expires = through + round(valid_days * DAY_NS)
    files = build_bundle(
        models.to_files(),
        name=REGISTERED,
        kind=KIND,
        feature_spec_hash=HMM_SPEC_HASH,
        trained_through_ns=through,
        expires_at_ns=expires,
        code_version=code,
        data_version=data,
        golden=golden,
        evidence=evidence,
    )
    check_golden_rows(RegimeModels.from_files(files), golden)
    return Packed(files, through, expires, code, data)


def tested_frame(returns: Mapping[str, Returns], chosen: Mapping[str, Selected]) -> pl.DataFrame:
    """Return every minute of every symbol with the chosen size's out-of-sample log density; null where it was trained on."""
    import polars as pl

    frames = []
    for symbol, own in chosen.items():
        density = np.full(len(returns[symbol].bps), np.nan)
        density[own.tested] = own.log_density
        frames.append(
            pl.DataFrame(
                {
                    "symbol": [symbol] * len(density),
                    "at_ns": returns[symbol].at_ns,
                    "bps": returns[symbol].bps,
                    "begins": returns[symbol].begins,
                    "close": returns[symbol].closes,
                    "log_density": density,
                }
            )
        )
    return pl.concat(frames)


def decide(registry: Registry, tested: pl.DataFrame, challenger: dict[str, Any], level: float) -> Decision:
    """Compare the challenger with the champion the registry names, on minutes the champion never saw.

    Parameters
    ----------
    registry : Registry
    tested : polars.DataFrame
        From `tested_frame`.
    challenger : dict
        What its training wrote down.
    level : float
        Of the paired test.

    """
    if "version" not in challenger:
        return Decision(False, str(challenger["reason"]))
    failed = [name for name, passed in challenger["checks"].items() if not passed]
    present = registry.alias_version(REGISTERED, "champion")
    if failed or present is None:
        return first_champion(not failed, failed)
    try:
        files = registry.download_bundle(REGISTERED, present)
        manifest = verify_bundle(files)
        old = RegimeModels.from_files(files)
    except BundleError:  # made for other bars, or damaged: the executor would refuse it too
        return first_champion(True, [])
    new = RegimeModels.from_files(registry.download_bundle(REGISTERED, int(challenger["version"])))
    times, losses, champion = _losses(tested, old, manifest.trained_through_ns)
    return decide_paired(
        losses,
        champion,
        times,
        MEMORY_NS,
        level=level,
        same=_same(old, new),
        expired=int(challenger["trained_through_ns"]) >= manifest.expires_at_ns,
    )


def _losses(
    tested: pl.DataFrame, old: RegimeModels, through_ns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Negative log densities by minute, averaged over the symbols both know: challenger's, then champion's."""
    import polars as pl

    parts = []
    for (symbol,), rows in tested.group_by(["symbol"], maintain_order=True):
        if symbol not in old.models:
            continue
        returns = Returns(*(rows.get_column(c).to_numpy() for c in ("at_ns", "bps", "begins", "close")))
        own = rows.select("at_ns", (-pl.col("log_density")).alias("challenger"))
        champion = pl.Series("champion", -filtered(returns, old.models[str(symbol)])[1])
        parts.append(own.with_columns(champion))
    if not parts:
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    unseen = pl.concat(parts).filter((pl.col("at_ns") > through_ns) & pl.col("challenger").is_finite())
    means = unseen.group_by("at_ns").agg(pl.col("challenger").mean(), pl.col("champion").mean()).sort("at_ns")
    return tuple(means.get_column(c).to_numpy() for c in ("at_ns", "challenger", "champion"))  # type: ignore[return-value]


def _same(old: RegimeModels, new: RegimeModels) -> bool:
    if set(old.models) != set(new.models):
        return False
    for symbol, model in new.models.items():
        other = old.models[symbol]
        if len(model.start) != len(other.start):
            return False
        if any(np.max(np.abs(a - b)) > _SAME for a, b in zip(model, other, strict=True)):
            return False
    return True
