"""Bundles: cache, a real registry, the process that asks it, and what the executor makes of the answers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hean_live.app.model_store import FUNDING_KIND, MATRIX_KIND, ModelStore, load_funding, load_matrix
from hean_live.app.snapshot import MatrixCell
from hean_live.bundle.cache import BundleCache, Pointer
from hean_live.bundle.fetch import ABSENT, FETCHED, REFUSED, UNCHANGED, UNREACHABLE, fetch
from hean_live.bundle.watcher import BundleWatcher, FetchResult
from models.bundle import build_bundle
from models.errors import BundleError
from models.portfolio.regime_matrix import Trade, build_matrix, to_files
from tests.live.support import MATRIX_FIELDS, constant_predictor, funding_bundle, matrix_bundle

GOOD = funding_bundle(constant_predictor(0.001))
NAME = "hean-funding"


def damaged():
    return {**GOOD, "candidate.json": GOOD["candidate.json"] + b" "}


@pytest.fixture
def cache(tmp_path):
    return BundleCache(tmp_path / "bundles" / NAME)


@pytest.fixture
def store(tmp_path):
    events = []
    made = ModelStore(
        tmp_path / "bundles", NAME, "hean-regime-matrix", lambda kind, body: events.append((kind, body))
    )
    made.events = events
    return made


def kinds(store):
    return [kind for kind, _ in store.events]


def test_the_cache_keeps_whole_bundles(cache):
    assert cache.pointer() is None
    assert cache.versions() == []
    cache.store("3", GOOD)
    cache.point_to(Pointer("3", "run"))
    assert cache.read("3") == GOOD
    assert cache.pointer() == Pointer("3", "run")
    cache.store("3", GOOD)  # again is no error
    assert cache.versions() == ["3"]
    assert [path.name for path in cache.root.iterdir() if path.name.startswith(".")] == []


def test_a_damaged_bundle_never_enters_the_cache(cache):
    with pytest.raises(BundleError, match=r"candidate\.json"):
        cache.store("4", damaged())
    assert cache.versions() == []


def test_a_disk_that_refuses_leaves_the_old_version(cache, tmp_path):
    cache.root.parent.mkdir(parents=True)
    cache.root.write_text("a file where a folder should be")
    with pytest.raises(BundleError, match="could not be stored"):
        cache.store("4", GOOD)


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}', "[]"])
def test_an_unreadable_pointer_is_no_pointer(cache, text):
    cache.root.mkdir(parents=True)
    (cache.root / "current.json").write_text(text)
    assert cache.pointer() is None


def test_the_cached_version_is_used(store, cache):
    cache.store("1", GOOD)
    cache.store("2", GOOD)
    cache.point_to(Pointer("1", "run"))
    store.load_cached()
    assert store.model.version == "1"
    assert store.view(0).evidence_passed


def test_a_corrupt_cached_version_falls_back_to_the_last_good_one(store, cache):
    cache.store("1", GOOD)
    cache.store("2", GOOD)
    cache.point_to(Pointer("2", "run"))
    (cache.root / "2" / "candidate.json").write_bytes(b"{}")
    store.load_cached()
    assert store.model.version == "1"
    assert kinds(store) == ["error", "reload"]
    assert store.events[0][1]["code"] == "BUNDLE_REFUSED"
    assert cache.versions() == ["1"]  # so that the other is fetched again


def test_a_fetched_version_is_swapped_in_and_a_bad_one_is_not(store, cache):
    cache.store("1", GOOD)
    cache.point_to(Pointer("1", "run"))
    store.load_cached()
    other = funding_bundle(constant_predictor(0.002))
    cache.store("2", other)
    assert store.take(FUNDING_KIND, FetchResult(FETCHED, "2", "run2"))
    assert (store.model.version, cache.pointer()) == ("2", Pointer("2", "run2"))
    assert store.events[-1] == ("reload", {"name": NAME, "from": "1", "to": "2"})
    lying = funding_bundle(
        constant_predictor(0.002), golden=[{"features": [0.0] * 29, "expected": {"predicted": 0.5}}]
    )
    cache.store("3", lying)
    assert not store.take(FUNDING_KIND, FetchResult(FETCHED, "3", "run3"))
    assert (store.model.version, cache.pointer().version) == ("2", "2")
    assert store.wanted_version(FUNDING_KIND) == "3"  # it is not downloaded again and again


def test_trouble_with_the_registry_is_said_once(store):
    for _ in range(3):
        store.take(FUNDING_KIND, FetchResult(UNREACHABLE, detail="no file"))
    store.take(FUNDING_KIND, FetchResult(UNCHANGED, "1"))
    assert kinds(store) == ["error", "registry"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "regime_matrix"}, "kind"),
        ({"golden": []}, "golden"),
        ({"golden": [{"features": [0.0], "expected": {"predicted": 0.0}}]}, "width"),
    ],
)
def test_what_is_wrong_with_a_bundle_is_named(change, message):
    with pytest.raises(BundleError, match=message):
        load_funding("1", funding_bundle(constant_predictor(0.001), **change))


def test_a_matrix_is_read_by_strategy_and_regime():
    cell = {
        "strategy": "S1",
        "regime": "RANGE",
        "n": 31,
        "ev_usd": 0.2,
        "p_ev_positive": 0.7,
        "ev_shrunk_usd": 0.15,
        "ev_sd_usd": 0.05,
        "win_rate": 0.5,
    }
    matrix = load_matrix(matrix_bundle([cell]))
    assert matrix[("S1", "RANGE")] == MatrixCell(31, 0.2, 0.7, 0.15, 0.05)
    with pytest.raises(BundleError, match="matrix"):
        load_matrix(matrix_bundle([{"strategy": "S1"}]))


def test_a_matrix_of_version_2_says_how_wins_and_losses_lie():
    cells = build_matrix([Trade("S7", "RANGE", i, 3.0 if i % 3 else -2.0) for i in range(30)])
    contents = build_bundle(to_files(cells), **MATRIX_FIELDS)
    assert load_matrix(contents)[("S7", "RANGE")] == MatrixCell(
        30,
        cells[0].ev_usd,
        cells[0].p_ev_positive,
        cells[0].ev_shrunk_usd,
        cells[0].ev_sd_usd,
        cells[0].win_rate_shrunk,
        cells[0].mean_win_shrunk_usd,
        cells[0].mean_loss_shrunk_usd,
    )
    assert cells[0].win_rate_shrunk == pytest.approx(21 / 32)
    newer = {"matrix.json": contents["matrix.json"].replace(b'"version": 2', b'"version": 3')}
    with pytest.raises(BundleError, match=r"version of matrix\.json should be 1 to 2, was 3"):
        load_matrix(build_bundle(newer, **MATRIX_FIELDS))
    listed = {"matrix.json": b"[]"}
    with pytest.raises(BundleError, match="missing or unreadable"):
        load_matrix(build_bundle(listed, **MATRIX_FIELDS))


def test_the_matrix_may_be_absent(store):
    store.load_cached()
    assert store.matrix == {}
    store.take(MATRIX_KIND, FetchResult(ABSENT, detail="no such model"))
    assert store.matrix == {}


def wait(watcher, have=""):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        result = watcher.poll(have)
        if result is not None:
            return result
        time.sleep(0.05)
    raise AssertionError("the fetch gave no result")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A real MLflow registry with version 1 good, 2 good and 3 damaged."""
    import mlflow

    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment("test", artifact_location=(folder / "artifacts").as_uri())
    client.create_registered_model(NAME)
    for contents in (GOOD, funding_bundle(constant_predictor(0.002)), damaged()):
        run = client.create_run(experiment)
        local = folder / f"local-{run.info.run_id}" / "bundle"
        for path, data in contents.items():
            (local / path).parent.mkdir(parents=True, exist_ok=True)
            (local / path).write_bytes(data)
        client.log_artifacts(run.info.run_id, str(local), "bundle")
        source = f"{run.info.artifact_uri}/bundle"
        client.create_model_version(NAME, source, run.info.run_id)
    client.set_registered_model_alias(NAME, "champion", "1")
    return uri, client


def test_the_alias_is_resolved_downloaded_and_followed(registry, cache):
    uri, client = registry
    client.set_registered_model_alias(NAME, "champion", "1")
    first = fetch(uri, NAME, "champion", cache, "")
    assert (first["status"], first["version"]) == (FETCHED, "1")
    assert cache.read("1") == GOOD
    assert fetch(uri, NAME, "champion", cache, "1")["status"] == UNCHANGED
    client.set_registered_model_alias(NAME, "champion", "2")
    assert fetch(uri, NAME, "champion", cache, "1")["version"] == "2"
    client.set_registered_model_alias(NAME, "champion", "3")
    refused = fetch(uri, NAME, "champion", cache, "2")
    assert (refused["status"], refused["version"]) == (REFUSED, "3")
    assert sorted(cache.versions()) == ["1", "2"]
    assert fetch(uri, NAME, "no-such-alias", cache, "")["status"] == ABSENT
    assert fetch(uri, "no-such-model", "champion", cache, "")["status"] == ABSENT


def test_a_missing_registry_is_not_created(tmp_path, cache):
    result = fetch(f"sqlite:///{tmp_path / 'mlflow.db'}", NAME, "champion", cache, "")
    assert result["status"] == UNREACHABLE
    assert not (tmp_path / "mlflow.db").exists()


def test_the_watcher_fetches_in_its_own_process_and_only_when_something_changed(registry, cache):
    uri, client = registry
    client.set_registered_model_alias(NAME, "champion", "1")
    watcher = BundleWatcher(uri, NAME, "champion", cache.root, every_s=0.01, timeout_s=60)
    result = wait(watcher)
    assert (result.status, result.version) == (FETCHED, "1")
    time.sleep(0.02)
    assert watcher.poll("1") is None
    assert not watcher.is_running  # the registry's file has not changed
    client.set_registered_model_alias(NAME, "champion", "2")
    time.sleep(0.02)
    assert watcher.poll("1") is None
    assert watcher.is_running  # now it has
    watcher.close()


def test_the_watcher_kills_a_fetch_that_takes_too_long(cache):
    ticks = iter([0.0, 0.0, 100.0, 100.0])
    watcher = BundleWatcher(
        "http://127.0.0.1:9",
        NAME,
        "champion",
        cache.root,
        every_s=1,
        timeout_s=5,
        monotonic=lambda: next(ticks),
    )
    assert watcher.poll("") is None
    result = watcher.poll("")
    while result is None:
        result = watcher.poll("")
    assert result.status == UNREACHABLE
    assert not watcher.is_running


def test_paths_of_registries():
    from hean_live.bundle.fetch import sqlite_path

    assert sqlite_path("sqlite:////a/b.db") == Path("/a/b.db")
    assert sqlite_path("http://localhost:5000") is None
