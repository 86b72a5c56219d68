"""Reading a study's outcome must not cost the executor a statistics library."""

from __future__ import annotations

import subprocess
import sys

from tests.support import ROOT

MODULES = (
    "event_study",
    "vpin_study",
    "whale_study",
    "cascade_study",
    "exhaustion_study",
    "overfitting_study",
    "regime_claim",
    "cross_validation",
)


def test_no_study_loads_scipy_stats() -> None:
    code = "import sys, importlib\n" + "".join(
        f"importlib.import_module('models.evidence.{name}')\n" for name in MODULES
    )
    code += "print('scipy.stats' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
