"""Lineage of columns: known cases, completeness, and what is kept beside the SQL."""

from __future__ import annotations

from pathlib import Path

from hean_pipelines.sql.docs import html, pages, renewed
from hean_pipelines.sql.lineage import CACHE_NAME, all_lineage, cache_text, parse_lineage, table_columns
from hean_pipelines.sql.model import load_models, sql_root
from tests.sql.support import all_models
from tests.support import ROOT

HEADER = "-- description: d\n-- grain: g\n-- keys: k\n-- columns:\n"
STARTS_FROM_NOTHING = {"int_coverage__datasets"}


def _model(tmp_path: Path, columns: str, sql: str):
    (tmp_path / "staging").mkdir(parents=True, exist_ok=True)
    header = HEADER + "".join(f"--   {column}: x\n" for column in columns.split())
    (tmp_path / "staging" / "stg_a__x.sql").write_text(header + sql)
    return load_models(tmp_path)["stg_a__x"]


def test_known_cases(tmp_path: Path):
    model = _model(
        tmp_path,
        "k twice summed ranked constant joined",
        """
        with one as (select *, price * 2 as doubled from raw_bybit__trades),
        two as (select symbol, ts, sum(size) as total from raw_binance__agg_trades group by all)
        select
            one.symbol as k,
            doubled + 1 as twice,
            total as summed,
            row_number() over (partition by one.symbol order by one.ts) as ranked,
            'x' as constant,
            case when two.total > 0 then one.side end as joined
        from one
        asof left join two on one.symbol = two.symbol and one.ts >= two.ts
        """,
    )
    bybit, binance = "raw_bybit__trades", "raw_binance__agg_trades"
    assert parse_lineage(model, table_columns({})) == {
        "k": ((bybit, "symbol"),),
        "twice": ((bybit, "price"),),
        "summed": ((binance, "size"),),
        "ranked": ((bybit, "symbol"), (bybit, "ts")),
        "constant": (),
        "joined": ((binance, "size"), (bybit, "side")),
    }


def test_every_source_exists_and_every_table_is_a_source_of_its_reader():
    models = all_models()
    columns = table_columns(models)
    for name, lineage in all_lineage(models).items():
        assert tuple(lineage) == tuple(models[name].header.columns)
        sources = {source for each in lineage.values() for source in each}
        assert {table for table, _ in sources} <= {*models[name].raw, *models[name].models}
        assert all(column in columns[table] for table, column in sources)
        assert sources or name in STARTS_FROM_NOTHING


def test_funding_is_followed_to_the_lake():
    lineage = all_lineage(all_models())
    reached, waiting = set(), [("mart_market__funding_spreads", "short_rate_per_hour")]
    while waiting:
        table, column = waiting.pop()
        if (table, column) not in reached:
            reached.add((table, column))
            waiting += lineage.get(table, {}).get(column, ())
    for venue in ("bybit", "binance", "okx"):
        assert (f"raw_{venue}__settlement_funding", "funding_rate") in reached


def test_kept_lineage_is_that_of_the_sql():
    kept = (sql_root() / CACHE_NAME).read_text()
    assert kept == cache_text(all_models()), "run `hean warehouse models --write-dependencies`"


def test_kept_lineage_of_another_text_is_not_used(tmp_path: Path):
    model = _model(tmp_path, "k", "select symbol as k from raw_bybit__trades")
    (tmp_path / CACHE_NAME).write_text(cache_text({model.name: model}))
    changed = _model(tmp_path, "k", "select trade_id as k from raw_bybit__trades")
    assert all_lineage({changed.name: changed}, tmp_path) == {
        "stg_a__x": {"k": (("raw_bybit__trades", "trade_id"),)}
    }


def test_page_names_every_table_column_and_test():
    models = all_models()
    page = html(models, all_lineage(models))
    for model in models.values():
        assert f'id="{model.name}"' in page
        assert all(f'id="{model.name}.{column}"' in page for column in model.header.columns)
        assert all(f"<code>{test.name}</code>" in page for test in model.tests)
    assert "&lt;" in page
    for name in ("http://", "https://", "<script"):
        assert name not in page


def test_links_of_the_page_lead_somewhere():
    import re

    page = html(all_models(), all_lineage(all_models()))
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert {link for link in re.findall(r'href="#([^"]+)"', page)} <= targets | {
        f"{name}.file_row_number" for name in ("raw_bybit__trades", "raw_binance__agg_trades")
    }


def test_used_by_is_made_of_reversed():
    found = {page.model.name: page for page in pages(all_models(), all_lineage(all_models()))}
    rate = next(column for column in found["stg_okx__funding"].columns if column.name == "funding_rate")
    assert ("int_market__funding_intervals", "funding_rate") in rate.used_by


def test_document_is_that_of_the_sql():
    text = (ROOT / "docs" / "warehouse.md").read_text()
    assert renewed(text, all_models()) == text, "run `hean warehouse docs --out docs/warehouse.md`"
