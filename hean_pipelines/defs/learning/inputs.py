"""What the learning loops read and leave behind: trades from the mart, the policy in force from the registry, JSON products.

Here belongs reading and writing. What the loops make of it is `models.learning`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.bundle import verify_bundle
from models.errors import BundleError, DataError
from models.learning.roster import canonical
from models.learning.trades import TradeTable, table_of
from models.portfolio import policy as policies

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.resources.products import Products
    from hean_pipelines.resources.registry import Registry
    from models.portfolio.policy import Policy

MART = "mart_hean__learning_trades"
REGISTERED = "hean-policy"
CHAMPION = "champion"
IN_FORCE = "in_force"
"""Alias of the newest version the loops put in force: `champion` set back below it means that a person holds a policy."""


@dataclass(frozen=True)
class Present:
    """The policy the executor is told to use.

    Attributes
    ----------
    policy : Policy or None
        None at a cold start, or where the version named cannot be read.
    version : int or None
    is_held : bool
        Whether a person has set the alias back: the loops go on, but leave it where it is.
    words : str
        What is wrong with the version named, empty for nothing.

    """

    policy: Policy | None
    version: int | None
    is_held: bool
    words: str = ""

    @property
    def digest(self) -> str:
        """Of the policy, empty without one."""
        return self.policy.digest if self.policy else ""


def present_policy(registry: Registry) -> Present:
    """Read the policy under the alias `champion`."""
    version = registry.alias_version(REGISTERED, CHAMPION)
    if version is None:
        return Present(None, None, False)
    newest = registry.alias_version(REGISTERED, IN_FORCE)
    is_held = newest is not None and version < newest
    try:
        files = registry.download_bundle(REGISTERED, version)
        verify_bundle(files)
        return Present(policies.from_text(files[policies.FILE].decode()), version, is_held)
    except (BundleError, KeyError, UnicodeDecodeError) as error:  # the executor refuses it too
        return Present(None, version, is_held, f"version {version} cannot be read: {error}")


def read_trades(products: Products) -> TradeTable:
    """Read closed trades; strategies that the journal calls by their id get their names."""
    return trade_table(products.read_mart(MART))


def trade_table(frame: pl.DataFrame) -> TradeTable:
    """Make columns of a frame with the mart's."""
    return table_of(
        {
            "strategy": [canonical(name) for name in frame.get_column("strategy").to_list()],
            "symbol": frame.get_column("symbol").to_list(),
            "is_live": (frame.get_column("mode") == "live").to_numpy(),
            "blocked_by": frame.get_column("blocked_by").fill_null("").to_list(),
            **{
                name: frame.get_column(name).to_numpy()
                for name in ("entry_ns", "exit_ns", "pnl_bps", "pnl_usd")
            },
        }
    )


def product(products: Products, name: str) -> Path:
    """Return the file a loop leaves behind: `slippage`, `probation`, `gate_cost`, `drift`, `markouts`, `promotion`, `policy`."""
    return products.root / "learning" / f"{name}.json"


def read_product(products: Products, name: str, asset: str, digest: str) -> dict[str, Any]:
    """Read what a loop left behind for the policy in force.

    Raises
    ------
    DataError
        If it is absent, or was made for another policy: applied twice, the same trades would count twice.

    """
    path = product(products, name)
    body = products.read_json(path)
    if body is None:
        raise DataError(f"{path} does not exist yet", remedy=f"materialise {asset}")
    if body["policy"] != digest:
        raise DataError(
            f"{path} should follow from the policy in force ({digest[:12] or 'none'}), follows from"
            f" {body['policy'][:12] or 'none'}",
            remedy=f"materialise {asset} again, or run `hean learn`",
        )
    return body


def without_nan(rows: Any) -> Any:
    """Return rows as JSON: a figure that is not known is null."""
    return json.loads(json.dumps(rows), parse_constant=lambda _: None)


def with_nan(row: dict[str, Any], *known: str) -> dict[str, Any]:
    """Undo `without_nan`: null becomes NaN, except in the fields named."""
    return {key: float("nan") if value is None and key not in known else value for key, value in row.items()}


def markdown_table(columns: list[str], rows: list[list[object]]) -> str:
    """Return a table in Markdown; numbers with three digits after the point."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.3f}"
    return str(value).replace("|", "\\|").replace("\n", " ")
