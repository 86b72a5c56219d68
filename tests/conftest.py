"""Before anything is imported: compiled kernels are cached by the state of the sources they were compiled from."""

from __future__ import annotations

from pathlib import Path

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache(Path(__file__).resolve().parents[1] / ".pytest_cache" / "numba")
