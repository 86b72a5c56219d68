from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hean_pipelines.report.build import build_report
from tests.pipelines.report.page import Page, parse
from tests.pipelines.report.sample_home import make_home


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full state folder; not to be changed."""
    return make_home(tmp_path_factory.mktemp("report") / "home", days=60)


@pytest.fixture
def home(sample_home: Path, tmp_path: Path) -> Path:
    """A copy of the full state folder to take things away from."""
    return Path(shutil.copytree(sample_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def sample_page(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = build_report(sample_home, tmp_path_factory.mktemp("page") / "full.html")
    return parse(path.read_text(encoding="utf-8"))
