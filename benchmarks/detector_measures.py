"""What `benchmarks.detectors` measures on one scenario: functions from markets and their truth to plain figures.

Here belongs no choice of markets, seeds or lengths. The kernel cache must be named before this is imported.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from models.evidence.detector_scores import (
    Matches,
    delay_quantiles_s,
    match,
    over_seeds,
    precision_recall,
    proportion,
    rising_edges,
)
from models.market.features.forced_flow import FORCED as FORCED_STATE
from models.regimes import kernel as rules
from models.regimes.hmm import fit
from models.simulation.backtest.run import run_compiled
from models.simulation.fills.parameters import FillParameters
from models.simulation.order_flow.generator import stream_order_flow
from models.simulation.order_flow.labels import FORCED, INFORMED, WHALE
from models.simulation.order_flow.observed import Observed, observe
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.simulation.order_flow.scenarios import SCENARIOS

SECOND = 1_000_000_000
WARM_UP_S = 1800.0
LATE_NS = 10 * SECOND
STRESSED = 2


def shown(interval: Any, digits: int = 4) -> list[float] | None:
    """Return an interval as a list."""
    if interval is None:
        return None
    return [round(x, digits) for x in (interval.estimate, interval.low, interval.high)] + [interval.n]


def share(hits: Any) -> list[float] | None:
    """Return the share of True with its interval."""
    hits = np.asarray(hits, dtype=bool)
    return shown(proportion(int(hits.sum()), len(hits)))


def planted(o: Observed, *causes: int) -> np.ndarray:
    """Episodes after the features have warmed up."""
    own = np.isin(o.episodes["cause"], causes)
    return o.episodes[own & (o.episodes["start_ns"] > o.times[0] + int(WARM_UP_S * SECOND))]


def matched(o: Observed, rows: np.ndarray, side: np.ndarray, episodes: np.ndarray, late_ns: int) -> Matches:
    """Match detections at some ticks with episodes."""
    rows_side = side[rows]
    return match(
        o.times[rows],
        rows_side,
        episodes["start_ns"],
        episodes["end_ns"],
        episodes["side"],
        late_ns=late_ns,
    )


def flow_of(o: Observed) -> dict[str, Any]:
    """Return raw scores of F7, F8 and F11 on one market."""
    warm = o.times > o.times[0] + int(WARM_UP_S * SECOND)
    state = (o.feature("flow_state") == FORCED_STATE) & warm
    exhausted = (o.feature("exhausted") == 1.0) & state
    pressure, alive = o.feature("pressure_side"), o.feature("cascade_side")
    forced, both = planted(o, FORCED), planted(o, FORCED, INFORMED)
    begins = matched(o, rising_edges(state), pressure, forced, LATE_NS)
    fires = np.flatnonzero(exhausted)
    ends = matched(o, fires, pressure, forced, LATE_NS)
    runs = matched(o, rising_edges((alive != 0) & warm), alive, both, LATE_NS)
    first = o.times[fires][ends.first[ends.found]]
    return {
        "ticks": precision_recall(state[warm], (o.labels["cascade"] != 0)[warm]),
        "trend_ticks": state[(o.labels["trend"] != 0) & (o.labels["cascade"] == 0) & warm],
        "forced": begins,
        "exhausted": ends,
        "late": (first - forced["extreme_ns"][ends.found], first - forced["end_ns"][ends.found]),
        "cascade": runs,
        "cascade_forced": runs.found[both["cause"] == FORCED],
        "days": float(warm.sum()) * 0.25 / 86400.0,
    }


def flow_scores(markets: list[Observed]) -> dict[str, Any]:
    """F7, F8 and F11 over seeds."""
    raw = [flow_of(o) for o in markets]
    days = sum(r["days"] for r in raw)
    out: dict[str, Any] = {
        "f7_tick_precision": shown(over_seeds([r["ticks"][0] for r in raw])),
        "f7_tick_recall": shown(over_seeds([r["ticks"][1] for r in raw])),
        "f7_trend_ticks_called_forced": round(
            float(np.concatenate([r["trend_ticks"] for r in raw]).mean()), 5
        )
        if sum(len(r["trend_ticks"]) for r in raw)
        else None,
    }
    for name, row in (("forced", "f7"), ("exhausted", "f8"), ("cascade", "f11")):
        out[f"{row}_episode_recall"] = share(np.concatenate([r[name].found for r in raw]))
        out[f"{row}_precision"] = share(np.concatenate([r[name].true for r in raw]))
        out[f"{row}_false_a_day"] = round(sum(int((~r[name].true).sum()) for r in raw) / days, 2)
    for k, since in enumerate(("extreme", "end")):
        late = np.concatenate([r["late"][k] for r in raw])
        out[f"f8_delay_s_since_{since}_q10_25_50_75_90"] = [
            None if math.isnan(q) else round(q, 2) for q in delay_quantiles_s(late)
        ]
    out["f11_forced_recall"] = share(np.concatenate([r["cascade_forced"] for r in raw]))
    return out


def whale_scores(markets: list[Observed], median: float) -> dict[str, Any]:
    """F9 over seeds: what is at least 20 medians, its side and its size."""
    found, true, sizes, days = [], [], [], 0.0
    for o in markets:
        warm = o.times > o.times[0] + int(WARM_UP_S * SECOND)
        fresh = (o.feature("whale_age_s") <= 0.25) & (o.feature("whale_multiple") >= 20.0) & warm
        rows, episodes = np.flatnonzero(fresh), planted(o, WHALE)
        m = matched(o, rows, o.feature("whale_side"), episodes, SECOND // 2)
        found.append(m.found)
        true.append(m.true)
        multiples = o.feature("whale_multiple")[rows[m.first[m.found]]]
        sizes.append(multiples * median / episodes["size"][m.found])
        days += float(warm.sum()) * 0.25 / 86400.0
    ratio = np.concatenate(sizes)
    return {
        "f9_recall_with_side": share(np.concatenate(found)),
        "f9_precision": share(np.concatenate(true)),
        "f9_false_a_day": round(sum(int((~t).sum()) for t in true) / days, 2),
        "f9_size_ratio_q10_50_90": [round(float(q), 3) for q in np.quantile(ratio, (0.1, 0.5, 0.9))]
        if len(ratio)
        else None,
    }


def impact_scores(markets: list[Observed], p: OrderFlowParameters) -> dict[str, Any]:
    """F10 over seeds: reported impact and reversion on the planted parts, as they stand when the mid is read."""
    impact, reversion = [], []
    for o in markets:
        known = o.feature("impact_age_s")
        at = np.flatnonzero((known[1:] < known[:-1]) | (np.isnan(known[:-1]) & ~np.isnan(known[1:]))) + 1
        episodes = planted(o, WHALE)
        m = matched(o, at, o.feature("impact_side"), episodes, SECOND)
        rows, own = at[m.first[m.found]], episodes[m.found]
        read = o.times[rows] - own["start_ns"]
        left = np.exp(-1e-9 * read / p.whale_reversion_s)
        x = np.column_stack([own["permanent_bps"], own["transient_bps"] * left])
        impact.append(np.linalg.lstsq(x, o.feature("impact_bps")[rows], rcond=None)[0])
        back = own["transient_bps"] * (left - math.exp(-5.0 / p.whale_reversion_s))
        # Read four ticks after the last horizon, unless a new whale has come.
        later = np.minimum(rows + 24, len(o.times) - 1)
        same = np.abs(o.feature("impact_bps")[later] - o.feature("impact_bps")[rows]) < 1e-12
        y = o.feature("reversion_5s_bps")[later][same]
        reversion.append(float(back[same] @ y / (back[same] @ back[same])))
    return {
        "f10_permanent": shown(over_seeds([float(i[0]) for i in impact])),
        "f10_transient": shown(over_seeds([float(i[1]) for i in impact])),
        "f10_reversion_5s": shown(over_seeds(reversion)),
    }


def kyle_score(markets: list[Observed], p: OrderFlowParameters) -> list[float] | None:
    """Median lambda over the planted one, where only the crowd trades."""
    truth = 1e-4 * p.flow_impact_bps / p.trade_size_median  # quote per quote of notional, whatever the price
    return shown(over_seeds([float(np.nanmedian(o.feature("kyle_lambda"))) / truth for o in markets]))


def regime_scores(p: OrderFlowParameters, seeds: tuple[int, ...], hours: float) -> dict[str, Any]:
    """Score a model of bars fitted on one market, and the rules, on others."""
    seconds = max(hours, 8.0) * 3600.0
    learning = observe(p, seeds[0] + 100, seconds)
    mid = learning.feature("mid")
    bars = mid[learning.times % (60 * SECOND) == 0]
    model = fit(1e4 * np.diff(np.log(bars[np.isfinite(bars)])), 3).model
    hmm, by_rule = [], []
    for seed in seeds:
        o = observe(p, seed, seconds, hmm=model)
        on_bar = (o.times % (60 * SECOND) == 0) & (o.feature("regime") != rules.UNKNOWN)
        stressed = o.labels["regime"][on_bar] == STRESSED
        hmm.append(precision_recall(o.feature("hmm_turbulent")[on_bar] > 0.5, stressed))
        by_rule.append(precision_recall(o.feature("regime")[on_bar] == rules.DISTRIBUTION, stressed))
    return {
        "hmm_turbulent_precision": shown(over_seeds([x[0] for x in hmm])),
        "hmm_turbulent_recall": shown(over_seeds([x[1] for x in hmm])),
        "rules_distribution_precision": shown(over_seeds([x[0] for x in by_rule])),
        "rules_distribution_recall": shown(over_seeds([x[1] for x in by_rule])),
    }


def earnings(
    strategy: Callable[[], Any], p: OrderFlowParameters, seeds: tuple[int, ...], hours: float
) -> dict[str, Any]:
    """Return what a strategy earns over seeds."""
    venue = FillParameters(p.tick_size, p.lot_size)
    gross, net, trades, profits = [], [], [], []
    for seed in seeds:
        tape = (chunk.events for chunk in stream_order_flow(p, seed, hours * 3600.0))
        done = run_compiled(tape, strategy(), venue).trades
        value = float((done["entry_price"] * done["quantity"]).sum())
        profit, fees = float(done["profit"].sum()), float(done["fees"].sum())
        gross.append(1e4 * profit / value if value else math.nan)
        net.append(1e4 * (profit - fees) / value if value else math.nan)
        trades.append(len(done) * 24.0 / hours)
        profits.append(profit - fees > 0.0)
    return {
        "trades_a_day": shown(over_seeds(trades), 1),
        "gross_bps": shown(over_seeds(gross), 2),
        "net_bps": shown(over_seeds(net), 2),
        "seeds_with_profit": share(profits),
    }


def generator_speed(hours: float) -> int:
    """Events a second of the default market, tape, labels and copies included."""
    p = SCENARIOS["everything"]()
    list(stream_order_flow(p, 1, 10.0))
    started, events = time.perf_counter(), 0
    for chunk in stream_order_flow(p, 1, hours * 3600.0):
        events += len(chunk.events)
    return round(events / (time.perf_counter() - started))
