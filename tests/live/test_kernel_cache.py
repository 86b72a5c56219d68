"""The folder of compiled kernels: named by the sources, left alone where someone chose one, old states removed."""

from __future__ import annotations

import os

from hean_live.kernel_cache import name_kernel_cache, state_of_kernels


def test_the_cache_is_named_by_the_state_of_the_sources(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    name_kernel_cache(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / state_of_kernels())


def test_a_chosen_cache_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "chosen")
    name_kernel_cache(tmp_path)
    assert os.environ["NUMBA_CACHE_DIR"] == "chosen"


def test_a_service_caches_in_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path))
    name_kernel_cache()
    assert os.environ["NUMBA_CACHE_DIR"].startswith(str(tmp_path / "numba"))


def test_only_the_newest_states_are_kept(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for age in range(9):
        folder = tmp_path / f"state{age}"
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    name_kernel_cache(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"state{age}" for age in range(5)]
