"""Bundles, settings and runners for tests of the executor; real parts throughout."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hean_live.app.runner import Options, Runner
from hean_live.app.start import assemble, bundles_path
from hean_live.bundle.cache import BundleCache, Pointer
from hean_live.execution.order_manager import OrderDecision
from hean_live.settings import LiveSettings, load_settings
from models.bundle import build_bundle
from models.funding.candidates import Candidate, Ridge
from models.funding.distribution import NORMAL_QUANTILES
from models.funding.features import FEATURE_NAMES, FEATURE_SPEC_HASH, INDEX
from models.funding.predictor import FundingPredictor, golden_rows

FAR_FUTURE_NS = 4_000_000_000_000_000_000


def constant_predictor(rate: float) -> FundingPredictor:
    """A real predictor that always forecasts `rate`, with narrow errors."""
    zeros = np.zeros(len(FEATURE_NAMES))
    ridge = Ridge(zeros, zeros + 1.0, zeros, rate * 1e4)
    return FundingPredictor(Candidate("ridge", ridge), {90: NORMAL_QUANTILES * 0.01})


def structural_predictor() -> FundingPredictor:
    return FundingPredictor(Candidate("structural_offset"), {90: NORMAL_QUANTILES})


def funding_bundle(predictor: FundingPredictor, **changes: Any) -> dict[str, bytes]:
    rows = np.full((3, len(INDEX)), 0.0001)
    fields: dict[str, Any] = {
        "name": "hean-funding",
        "kind": "funding_predictor",
        "feature_spec_hash": FEATURE_SPEC_HASH,
        "trained_through_ns": 0,
        "expires_at_ns": FAR_FUTURE_NS,
        "code_version": "test",
        "data_version": "test",
        "golden": golden_rows(predictor, rows),
        "evidence": {"E1": {"passed": True, "r2": 0.5}},
    }
    return build_bundle(predictor.to_files(), **{**fields, **changes})


MATRIX_FIELDS: dict[str, Any] = {
    "name": "hean-regime-matrix",
    "kind": "regime_matrix",
    "feature_spec_hash": "",
    "trained_through_ns": 0,
    "expires_at_ns": FAR_FUTURE_NS,
    "code_version": "test",
    "data_version": "test",
}


def matrix_bundle(cells: list[dict[str, Any]], **changes: Any) -> dict[str, bytes]:
    return build_bundle(
        {"matrix.json": json.dumps({"cells": cells}).encode()}, **{**MATRIX_FIELDS, **changes}
    )


def cache_bundle(settings: LiveSettings, contents: dict[str, bytes], version: str = "1") -> BundleCache:
    cache = BundleCache(bundles_path(settings) / settings.model_name)
    cache.store(version, contents)
    cache.point_to(Pointer(version, "run"))
    return cache


def local_settings(home: Path, testnet: Any, **changes: Any) -> LiveSettings:
    fields: dict[str, Any] = {
        "home": home,
        "environment": "local",
        "order_url": testnet.base_url,
        "api_key": testnet.api_key,
        "api_secret": testnet.api_secret,
        "symbols": ("BTCUSDT",),
        "history_settlements": 6,
        "reconcile_s": 0.01,
        "reconcile_open_s": 0.01,
        # A process and a thread of their own: those tests that are about them turn them on.
        "shadows": False,
    }
    return load_settings(**{**fields, **changes})


def make_runner(
    settings: LiveSettings, options: Options | None = None, probe: Callable[[str], None] | None = None
) -> Runner:
    extra = {} if probe is None else {"probe": probe}
    return assemble(settings, options or Options(), **extra)


def every_order(_decision: OrderDecision) -> None:
    """A gate that lets every order pass: for tests of what lies behind it."""


def poll_until(runner: Runner, done: Callable[[], bool], *, each: Callable[[], object] = lambda: None) -> int:
    """Poll until `done`, at most a minute, which is long for a machine that does other things; returns how many polls it took."""
    deadline = time.monotonic() + 60.0
    polls = 0
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"not done after {polls} polls: {runner._parts.alarms.active}")
        each()
        runner.poll()
        polls += 1
        time.sleep(0.01)
    return polls
