"""What many tests need: where the recorded data lie, and nothing that belongs to one package only."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def shared_path(relative: str) -> Path:
    """Path of recorded data beside the checkout; skips the test, saying so, where it is absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"recorded data not found: ../shared/{relative} is absent beside the checkout")
    return path
