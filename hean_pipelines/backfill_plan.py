"""What a backfill would do: its days, symbols and datasets checked, and about how many requests they cost. Asks nobody.

What does not belong here: running it (`backfill.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from hean_pipelines.defs.market_data.specs import SNAPSHOTS, history_specs
from hean_pipelines.settings import PipelineSettings
from models.errors import ConfigError

if TYPE_CHECKING:
    import dagster as dg

DEFAULT_GROUP = "bybit"


@dataclass(frozen=True)
class BackfillPlan:
    """What a backfill would do; `requests` maps dataset to about how many requests it takes."""

    first: date
    last: date
    symbols: tuple[str, ...]
    requests: dict[str, int]
    through: str = "lake"
    downstream: tuple[str, ...] = ()

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.last - self.first).days + 1


def plan_backfill(
    settings: PipelineSettings,
    first: date,
    last: date | None = None,
    *,
    symbols: tuple[str, ...] | None = None,
    datasets: tuple[str, ...] | None = None,
    through: str = "lake",
) -> BackfillPlan:
    """Check the wishes and say what they cost; asks nobody.

    Raises
    ------
    ConfigError
        If the range leaves the partitions, or a dataset or symbol cannot be.

    """
    from hean_pipelines.partitions import daily_partitions

    keys = daily_partitions(settings)
    last = last or date.fromisoformat(keys.get_last_partition_key() or settings.partitions_start.isoformat())
    for day in (first, last):
        if not keys.has_partition_key(day.isoformat()):
            raise ConfigError(
                f"{day} is no partition: expected {keys.get_first_partition_key()} to {keys.get_last_partition_key()}",
                remedy="choose other days or set HEAN_PIPELINES_PARTITIONS_START / _PARTITIONS_END",
            )
    if first > last:
        raise ConfigError(f"--start {first} must not be after --end {last}")
    chosen_symbols = symbols or settings.universe
    wrong = [symbol for symbol in chosen_symbols if not re.fullmatch(r"[A-Z0-9]+", symbol)]
    if wrong:
        raise ConfigError(f"expected upper-case symbols such as BTCUSDT, was {', '.join(wrong)}")
    days = (last - first).days + 1
    chosen = chosen_datasets(settings, days, len(chosen_symbols), datasets or (DEFAULT_GROUP,))
    downstream = () if through == "lake" else _downstream(planned_definitions(settings, through))
    return BackfillPlan(first, last, tuple(chosen_symbols), chosen, through, downstream)


def chosen_datasets(
    settings: PipelineSettings, days: int, symbols: int, wanted: tuple[str, ...]
) -> dict[str, int]:
    """Return the datasets of names and groups with about how many requests each takes.

    Groups are ``bybit`` (its REST history and snapshots), ``binance``, ``okx``, ``coinglass``, ``sentiment``, ``files`` (what is
    published as files only) and ``all``.

    Raises
    ------
    ConfigError
        For a name that is neither.

    """
    groups = dataset_groups(settings, days, symbols)
    every = {name: cost for group in groups.values() for name, cost in group.items()}
    groups["all"] = every
    unknown = [name for name in wanted if name not in every and name not in groups]
    if unknown:
        raise ConfigError(
            f"unknown datasets {', '.join(unknown)}",
            remedy=f"known are the groups {', '.join(groups)} and {', '.join(every)}",
        )
    names = {name for want in wanted for name in (groups.get(want) or {want: 0})}
    return {name: cost for name, cost in every.items() if name in names}


def dataset_groups(settings: PipelineSettings, days: int, symbols: int) -> dict[str, dict[str, int]]:
    """Return what can be backfilled, by group, with about how many requests it takes."""
    from hean_pipelines.defs.archives.assets import BOOKS
    from hean_pipelines.defs.archives.specs import archive_specs
    from hean_pipelines.defs.other_venues.assets import FEAR_GREED
    from hean_pipelines.defs.other_venues.posts import post_sources
    from hean_pipelines.defs.other_venues.snapshots import coinglass_snapshots, venue_snapshots
    from hean_pipelines.defs.other_venues.specs import venue_histories

    groups: dict[str, dict[str, int]] = {
        DEFAULT_GROUP: {s.dataset.name: s.expected_requests(days, symbols) for s in history_specs(settings)},
        "binance": {},
        "okx": {},
        "coinglass": {spec.dataset: symbols for spec in coinglass_snapshots()},
        "sentiment": {FEAR_GREED: 1} | dict.fromkeys((source.dataset for source in post_sources()), symbols),
        "files": {},
    }
    groups[DEFAULT_GROUP] |= dict.fromkeys(SNAPSHOTS, 1)
    for spec in venue_histories():
        groups[spec.venue][spec.history.dataset.name] = spec.history.expected_requests(days, symbols)
    for snapshot in venue_snapshots():
        groups[snapshot.dataset.removeprefix("raw_").partition("__")[0]][snapshot.dataset] = 2
    continued = {name for group in groups.values() for name in group}
    groups["files"][BOOKS] = days * symbols
    for archive in archive_specs(settings):
        if archive.dataset.name not in continued:
            groups["files"][archive.dataset.name] = days * symbols
    return groups


def planned_definitions(settings: PipelineSettings, through: str) -> dg.Definitions:
    """Return what a backfill may materialize: the raw datasets alone, or everything."""
    if through == "lake":
        import dagster as dg

        from hean_pipelines.defs.archives.assets import archive_definitions
        from hean_pipelines.defs.market_data import market_data_definitions
        from hean_pipelines.defs.other_venues.assets import other_venue_definitions

        return dg.Definitions.merge(
            market_data_definitions(settings),
            archive_definitions(settings),
            other_venue_definitions(settings),
        )
    from hean_pipelines.build import build_definitions

    return build_definitions(settings)


def _downstream(definitions: dg.Definitions) -> tuple[str, ...]:
    """Return what lies between the raw data and the features, features included."""
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    wanted = dg.AssetSelection.groups("features").upstream() - dg.AssetSelection.groups(
        "market_data", "own_activity"
    )
    return tuple(key.to_user_string() for key in graph.toposorted_asset_keys if key in wanted.resolve(graph))
