from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from hean_pipelines.report.build import build_report, write_whole
from hean_pipelines.report.inputs import SPECS
from models.errors import ConfigError, DataError
from tests.pipelines.report.page import Page, parse

SECTIONS = [
    "summary",
    "skill",
    "realised",
    "calibration",
    "evidence",
    "first-steps",
    "policy",
    "trades",
    "live",
    "matrix",
    "coverage",
    "sources",
]
# The section that must speak of each input.
SPEAKS = {
    "forecasts": ("realised", "calibration"),
    "scores": ("skill",),
    "champion": ("summary",),
    "evidence": ("evidence",),
    "orders": ("trades",),
    "fills": ("trades",),
    "trades": ("trades",),
    "events": ("trades",),
    "equity": ("trades",),
    "live_forecasts": ("live",),
    "matrix": ("matrix",),
    "policy": ("policy",),
    "coverage": ("coverage",),
    "settlements": ("live",),
}


def built(home: Path) -> Page:
    return parse(build_report(home).read_text(encoding="utf-8"))


def section(page: Page, anchor: str) -> str:
    found = [e for e in page.elements if e.tag == "section" and e.attributes["id"] == anchor]
    assert len(found) == 1, anchor
    return " ".join(found[0].text.split())


def remove(home: Path, name: str) -> None:
    path = home / "lake" / SPECS[name].path
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_full_page_has_every_section_and_a_contents_entry_for_each(sample_page: Page) -> None:
    anchors = [e.attributes["id"] for e in sample_page.elements if e.tag == "section"]
    links = [e.attributes["href"] for e in sample_page.elements if e.tag == "a"]
    assert anchors == SECTIONS
    assert links[1:] == [f"#{anchor}" for anchor in SECTIONS]
    assert "cannot be shown" not in sample_page.text
    assert "Not shown" not in sample_page.text


def test_page_is_well_formed(sample_page: Page) -> None:
    assert sample_page.faults == []
    ids = [e.attributes["id"] for e in sample_page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_page_asks_for_nothing_outside_itself(sample_home: Path, tmp_path: Path, sample_page: Page) -> None:
    html = build_report(sample_home, tmp_path / "page.html").read_text(encoding="utf-8")
    assert not [e for e in sample_page.elements if e.tag in ("script", "iframe", "object", "img", "base")]
    for element in sample_page.elements:
        for name in ("src", "href", "action", "data", "srcset", "xlink:href"):
            assert re.match(r"$|#|data:", element.attributes.get(name, "")), element
    assert not re.search(r"url\(|@import|https?://", html)


def test_every_drawing_is_described_and_every_axis_says_its_unit(sample_page: Page) -> None:
    plots = [e for e in sample_page.elements if "plot" in e.attributes.get("class", "").split()]
    assert len(plots) > 25
    assert all(e.attributes["role"] == "img" and len(e.attributes["aria-label"]) > 20 for e in plots)
    titles = {
        e.text
        for e in sample_page.elements
        if e.tag == "text" and e.attributes.get("class", "").startswith("axis")
    }
    units = ("bps", "USD", "R²", "share", "level")
    assert [title for title in titles if not any(unit in title for unit in units)] == []


@pytest.mark.parametrize("name", list(SPECS))
def test_an_absent_input_is_said_with_what_makes_it(home: Path, name: str) -> None:
    remove(home, name)
    page = built(home)
    path = f"lake/{SPECS[name].path}"
    assert page.faults == []
    assert f"1 of {len(SPECS)} inputs cannot be shown" in page.text
    for anchor in SPEAKS[name]:
        words = section(page, anchor)
        assert path in words
        assert "absent" in words
    if name != "champion":  # it has no section of its own
        assert SPECS[name].remedy.replace("`", "") in " ".join(page.text.split())


def test_an_empty_state_folder_gives_a_page_without_a_single_figure(tmp_path: Path) -> None:
    page = built(tmp_path)
    assert page.faults == []
    assert not [e for e in page.elements if "plot" in e.attributes.get("class", "").split()]
    assert f"{len(SPECS)} of {len(SPECS)} inputs cannot be shown" in page.text
    assert list(page.tables) == ["Inputs"]


def test_damaged_inputs_are_told_apart_from_absent_ones(home: Path) -> None:
    lake = home / "lake"
    scores = lake / SPECS["scores"].path
    scores.write_bytes(scores.read_bytes()[:100])
    (lake / SPECS["evidence"].path).write_text('{"study": ', encoding="utf-8")
    (lake / SPECS["champion"].path).write_text("[1, 2]", encoding="utf-8")
    pl.DataFrame({"strategy": ["S1"]}).write_parquet(lake / SPECS["matrix"].path)
    coverage = lake / SPECS["coverage"].path
    pl.read_parquet(coverage).clear().write_parquet(coverage)
    page = built(home)
    state = {row["file or folder"]: row["state"] for row in page.table("Inputs")}
    assert state["lake/forecasts/scores.parquet"].startswith("unreadable")
    assert state["lake/evidence/e1.json"].startswith("unreadable")
    assert state["lake/forecasts/champion.json"] == "without the expected keys name, promotion"
    assert "without the expected columns regime" in state["lake/matrix/cells.parquet"]
    assert state["lake/marts/mart_coverage__symbol_day.parquet"] == "without rows"
    assert page.faults == []


def test_a_file_still_being_written_is_not_read(home: Path) -> None:
    folder = next((home / "lake" / SPECS["equity"].path).glob("**/date=*"))
    (folder / ".data.parquet.1.tmp.parquet").write_bytes(b"half")
    state = {row["file or folder"]: row["state"] for row in built(home).table("Inputs")}
    assert state["lake/raw_hean__equity"] == "read"


def test_default_output_and_a_chosen_one(sample_home: Path, home: Path, tmp_path: Path) -> None:
    assert build_report(home) == home / "report" / "index.html"
    chosen = build_report(sample_home, tmp_path / "deep" / "today.html")
    assert chosen == tmp_path / "deep" / "today.html"
    assert not (sample_home / "report").exists()


def test_a_reader_of_the_former_page_keeps_it_whole(home: Path) -> None:
    path = build_report(home)
    before = path.read_bytes()
    with path.open("rb") as reader:
        remove(home, "trades")
        build_report(home)
        assert reader.read() == before
    assert path.read_bytes() != before
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]


def test_what_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    taken = tmp_path / "page.html"
    taken.mkdir()
    with pytest.raises(DataError, match="expected to write the report"):
        write_whole(taken, b"page")
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match="was refused"):
        write_whole(tmp_path / "file" / "page.html", b"page")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "page.html"]


def test_wrong_settings_stop_the_report(tmp_path: Path) -> None:
    (tmp_path / "hean.toml").write_text("[pipelines]\nvenue = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown key 'venue'"):
        build_report(tmp_path)


def test_a_lake_elsewhere_is_found(home: Path, tmp_path: Path) -> None:
    (home / "lake").rename(tmp_path / "elsewhere")
    (home / "hean.toml").write_text(f'[pipelines]\nlake_root = "{tmp_path}/elsewhere"\n', encoding="utf-8")
    assert "Not shown" not in built(home).text


HOSTILE = '<script>alert(1)</script>"><img src=http://example.com/x onerror=alert(2)>'


def test_hostile_words_stay_words(home: Path) -> None:
    lake = home / "lake"
    for name in ("scores", "forecasts", "settlements", "coverage"):
        path = lake / SPECS[name].path
        frame = pl.read_parquet(path)
        frame.with_columns(symbol=pl.col("symbol").replace("SOLUSDT", HOSTILE)).write_parquet(path)
    for name in ("trades", "orders", "events"):
        for path in (lake / SPECS[name].path).glob("**/*.parquet"):
            frame = pl.read_parquet(path)
            names = [
                c
                for c in ("regime", "state", "leg", "mode", "kind")
                if c in frame.columns and name != "events"
            ]
            frame = frame.with_columns(pl.lit(HOSTILE).alias(c) for c in names if c != "mode")
            if name == "events":
                frame = frame.with_columns(body=pl.lit('{"reason": "</style><script>x</script>"}'))
            frame.write_parquet(path)
    champion = lake / SPECS["champion"].path
    champion.write_text(
        champion.read_text(encoding="utf-8").replace("forecasts better", "<script>1</script>"), "utf-8"
    )
    page = built(home)
    assert page.faults == []
    assert not [e for e in page.elements if e.tag in ("script", "img")]
    assert page.text.count(HOSTILE) > 10
    assert "</style><script>x</script>" in page.text
    assert "<script>1</script>" in page.text


def test_studies_on_tapes_are_shown_where_they_are_and_missed_in_a_line(home: Path) -> None:
    assert "Not run here: E2, E3, E5, E6, E7" in section(built(home), "evidence")
    body = {
        "study": "E5",
        "asks": "Does order flow foretell the next minute?",
        "passed": True,
        "verdict": "passed",
        "reason": "0.21 exceeds 0.1",
        "market": {"kind": "synthetic", "name": "planted, seed 7"},
        "estimate": 0.21,
        "low": 0.15,
        "high": None,
        "n": 1234,
    }
    folder = home / "lake/evidence"
    (folder / "e5.json").write_text(json.dumps(body), encoding="utf-8")
    (folder / "e7.json").write_text("{", encoding="utf-8")
    page = built(home)
    assert page.faults == []
    (row,) = page.table("Studies on tapes and trades")
    assert row["study"] == "E5"
    assert row["n"] == "1,234"
    assert row["market"] == "synthetic: planted, seed 7"
    assert "passed" in row["verdict"]
    assert "0.21 exceeds 0.1" in row["verdict"]
    words = section(page, "evidence")
    assert "lake/evidence/e7.json" in words
    assert "Not run here: E2, E3, E6" in words
