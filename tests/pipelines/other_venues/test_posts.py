"""Posts on Reddit and X: only with keys, scored by an outside reference, each once, and no key or text anywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from pydantic import SecretStr

from hean_live.local_testnet.other_venues.posts import REDDIT_CLIENT, REDDIT_TOKEN, X_TOKEN
from hean_pipelines.defs.market_data.ingest import day_of
from hean_pipelines.defs.other_venues.assets import other_venue_definitions
from hean_pipelines.defs.other_venues.posts import ingest_posts, post_sources
from hean_pipelines.resources.lake import Lake
from hean_pipelines.settings import PipelineSettings, load_settings
from hean_pipelines.sources.http import PoliteHttp
from hean_pipelines.sources.reddit import RedditClient
from hean_pipelines.sources.text_scores import is_about, score_text, scorer_name, words_for
from hean_pipelines.sources.x_search import XSearchClient
from models.errors import ConfigError, DataError
from tests.local_testnet.server import RunningTestnet, start_testnet

HOUR_NS = 3_600 * 10**9
KEYS = {
    "reddit_client_id": REDDIT_CLIENT[0],
    "reddit_client_secret": REDDIT_CLIENT[1],
    "reddit_user": "somebody",
    "x_bearer_token": X_TOKEN,
}


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT", "LINKUSDT"), days=5, extra_days=2) as testnet:
        yield testnet


@pytest.fixture
def http(net: RunningTestnet) -> Iterator[PoliteHttp]:
    # The testnet's clock stands still: seen at its time, not ours.
    made = PoliteHttp(max_attempts=2, backoff_s=0.01, wall=lambda: net.now_ms / 1000)
    yield made
    made.close()


def settings_for(net: RunningTestnet, home: Path, **more: object) -> PipelineSettings:
    url = net.base_url
    return load_settings(home=home, reddit_url=url, reddit_token_url=url, x_url=url, **more)


def reddit(url: str, http: PoliteHttp, secret: str = REDDIT_CLIENT[1]) -> RedditClient:
    keys = SecretStr(REDDIT_CLIENT[0]), SecretStr(secret)
    return RedditClient(url, url, keys, "somebody", http)


# The examples and figures of the scorer's own documentation (cjhutto/vaderSentiment, README, "Code Examples").
@pytest.mark.parametrize(
    ("text", "compound"),
    [
        ("VADER is smart, handsome, and funny.", 0.8316),
        ("VADER is smart, handsome, and funny!", 0.8439),
        ("VADER is very smart, handsome, and funny.", 0.8545),
        ("VADER is not smart, handsome, nor funny.", -0.7424),
        ("The book was good.", 0.4404),
        ("Today SUX!", -0.5461),
        ("Today only kinda sux! But I'll get by, lol", 0.5249),
        ("", 0.0),
    ],
)
def test_scores_are_those_the_scorers_authors_publish(text, compound):
    assert score_text(text).compound == compound


@pytest.mark.parametrize(
    ("text", "coin", "about"),
    [
        ("BTC is up", "BTC", True),
        ("bitcoin is up", "BTC", True),
        ("Bitcoin Cash is up", "BTC", False),
        ("Bitcoin Cash is up", "BCH", True),
        ("look at $link", "LINK", True),
        ("follow the link", "LINK", False),
        ("#eth and others", "ETH", True),
        ("something", "ETH", False),
        ("WBTC is not it", "BTC", False),
    ],
)
def test_a_text_is_about_a_coin_by_ticker_or_name(text, coin, about):
    assert is_about(text, coin) is about
    assert words_for("NEWCOIN") == ("NEWCOIN",)


def test_reddit_gives_posts_back_to_a_moment_over_pages(net, http):
    now_ns = net.now_ms * 10**6
    posts = reddit(net.base_url, http).newest(["CryptoCurrency", "Bitcoin"], now_ns - 24 * HOUR_NS)
    about_btc = [post for post in posts if is_about(post.text, "BTC")]
    assert len(about_btc) in (144, 145)  # one in ten minutes for a day
    assert min(post.created_ns for post in posts) >= now_ns - 24 * HOUR_NS
    assert [post.created_ns for post in posts] == sorted((p.created_ns for p in posts), reverse=True)
    assert len({post.post_id for post in posts}) == len(posts) > 200  # more than a page
    assert {post.place for post in posts} == {"CryptoCurrency", "Bitcoin"}


def test_x_gives_posts_back_to_a_moment_and_as_many_pages_as_told(net, http):
    now_ns = net.now_ms * 10**6
    client = XSearchClient(net.base_url, SecretStr(X_TOKEN), http)
    assert len(client.recent(("BTC", "bitcoin"), now_ns - 24 * HOUR_NS, 1)) == 100
    posts = client.recent(("BTC", "bitcoin"), now_ns - 24 * HOUR_NS, 5)
    assert len(posts) in (144, 145)
    assert all(post.place == "en" for post in posts)
    assert client.recent(("NOPE",), now_ns - HOUR_NS, 5) == []


def test_wrong_keys_are_told_without_showing_them(net, http, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DataError, match="Reddit should answer, refused: 401") as refused:
        reddit(net.base_url, http, "wrong-secret-1").newest(["Bitcoin"], 0)
    with pytest.raises(DataError, match="X should answer, refused: 401") as refused_too:
        XSearchClient(net.base_url, SecretStr("wrong-token-1"), http).recent(
            ("BTC",), net.now_ms * 10**6 - HOUR_NS, 1
        )
    for said in (*caplog.messages, str(refused.value), str(refused_too.value), refused.value.remedy):
        assert "wrong-" not in said
        assert REDDIT_CLIENT[0] not in said
    for empty in (
        lambda: reddit(net.base_url, http, ""),
        lambda: XSearchClient(net.base_url, SecretStr(""), http),
    ):
        with pytest.raises(ConfigError, match="no key configured"):
            empty()


def test_each_post_is_stored_once_with_when_it_was_seen_and_without_its_text(net, http, tmp_path):
    settings = settings_for(net, tmp_path, **KEYS)
    today = day_of(net.now_ms * 10**6)
    clients = {
        "raw_reddit__scored_posts": reddit(net.base_url, http),
        "raw_x__scored_posts": XSearchClient(net.base_url, SecretStr(X_TOKEN), http),
    }
    lake, first_seen = Lake(settings.lake_root), net.now_ms * 10**6
    for source in post_sources():
        client = clients[source.dataset]
        report = ingest_posts(source, client, settings, ["BTCUSDT", "LINKUSDT"], today, today)
        assert report.rows["BTCUSDT"] > 90
        again = ingest_posts(source, client, settings, ["BTCUSDT"], today, today)
        assert again.rows == {"BTCUSDT": 0}
    net.advance(minutes=30)
    for source in post_sources():
        report = ingest_posts(source, clients[source.dataset], settings, ["BTCUSDT"], today, date(2100, 1, 1))
        assert report.rows["BTCUSDT"] == 3
        frame = lake.scan(source.dataset, ["BTCUSDT"]).collect()
        assert frame["post_id"].is_unique().all()
        assert set(frame["seen_at"].to_list()) == {first_seen, net.now_ms * 10**6}
        assert (frame["created_ts"] <= frame["seen_at"]).all()
        assert frame["available_at"].equals(frame["seen_at"].alias("available_at"))
        assert frame["scorer"].unique().to_list() == [scorer_name()]
        assert set(frame["compound"].sign().to_list()) == {-1.0, 0.0, 1.0}
        assert not {"text", "author", "title"} & set(frame.columns)
        ages = (frame["seen_at"] - frame["created_ts"]).max()
        assert ages is not None
        assert ages <= 24 * HOUR_NS
    old = ingest_posts(
        post_sources()[0],
        clients["raw_reddit__scored_posts"],
        settings,
        ["BTCUSDT"],
        date(2024, 1, 1),
        date(2024, 1, 2),
    )
    assert old.rows == {}  # what is said today is not put into the past
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (REDDIT_CLIENT[1], REDDIT_TOKEN, X_TOKEN):
        assert secret.encode() not in kept


def test_without_keys_the_assets_say_so_and_invent_nothing(net, tmp_path):
    names = [source.dataset for source in post_sources()]
    settings = settings_for(net, tmp_path)
    job = other_venue_definitions(settings).resolve_implicit_global_asset_job_def()
    today = str(date.today())  # noqa: DTZ011 - any day will do
    result = job.execute_in_process(
        asset_selection=[dg.AssetKey(name) for name in names],
        tags={"dagster/asset_partition_range_start": today, "dagster/asset_partition_range_end": today},
        instance=dg.DagsterInstance.ephemeral(),
    )
    for name in names:
        (materialized,) = result.asset_materializations_for_node(name)
        assert "no key configured" in materialized.metadata["not_asked"].value
        assert Lake(settings.lake_root).symbols(name) == []
        assert isinstance(Lake(settings.lake_root).scan(name).collect(), pl.DataFrame)
