"""`hean strategies`: which strategies trade, why the others do not, and a person's veto or pin. Arguments and printing.

The decision is the asset `model_hean__strategy_promotion`; vetoes and pins are kept in ``<home>/strategies.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings

_EPILOG = """\
A strategy trades live where its studies, its first step among them, passed on recorded data, its backtest earns after costs
with its trials counted, and its shadow trades earn. Everything else shadows. A veto works at once in a running executor; a
pin with the next policy (`hean learn`).

examples:
  hean strategies
  hean strategies veto hf_scalping --reason "fees went up"
  hean strategies pin sentiment shadow --reason "source changed"
  hean strategies pin impact_reversion live --reason trial --danger "impact_reversion may lose money without evidence"
  hean strategies clear hf_scalping

exit codes: 0 done, 2 wrong option, unknown strategy or damaged file.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "strategies",
        help="list strategies with state and reason; veto or pin one",
        description="List every strategy with its state, the reasons, evidence, backtest, shadow record and share of the equity.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common(parser)
    actions = parser.add_subparsers(title="actions", metavar="action", dest="action")
    veto = actions.add_parser("veto", help="forbid a strategy to trade live, at once")
    pin = actions.add_parser("pin", help="fix the state of a strategy")
    clear = actions.add_parser("clear", help="take a veto or pin back")
    for action in (veto, pin, clear):
        action.add_argument("name", help="strategy, such as funding_pressure")
        action.add_argument("--home", type=Path, default=argparse.SUPPRESS, help="state folder")
    pin.add_argument("state", choices=("live", "shadow", "off"), help="off: not even in shadow")
    for action in (veto, pin):
        action.add_argument("--reason", required=True, help="why; shown wherever the strategy is listed")
    pin.add_argument(
        "--danger", default="", metavar="WORDS", help="for live: the sentence the error message asks for"
    )
    parser.set_defaults(run=run)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", type=Path, help="state folder (default: HEAN_HOME, or var)")
    parser.add_argument("--json", action="store_true", help="print the list as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """List, or change one strategy and say what it is now; returns the exit code."""
    from hean_pipelines.settings import load_settings

    settings = load_settings(home=args.home)
    if args.action:
        _instruct(args, settings.home)
        return 0
    rows = list_strategies(settings)
    if args.json:
        print(json.dumps({"policy": _policy_words(settings), "strategies": rows}))
    else:
        _print(rows)
        for line in _remedy_lines(rows):
            print(line)
        print(_policy_words(settings))
    return 0


def _instruct(args: argparse.Namespace, home: Path) -> None:
    from hean_pipelines.defs.promotion.instructions_file import instruct
    from models.errors import ConfigError
    from models.learning.instructions import PIN, VETO, Instruction
    from models.learning.roster import STRATEGIES, canonical

    name = canonical(args.name)
    if name not in STRATEGIES:
        raise ConfigError(f"strategy: expected one of {', '.join(STRATEGIES)}, was {args.name!r}")
    now_ns = time.time_ns()
    if args.action == "clear":
        instruct(home, name, None)
        print(f"{name}: cleared; the next policy decides (`hean learn`)")
    elif args.action == "veto":
        instruct(home, name, Instruction(VETO, "shadow", args.reason, now_ns))
        print(f"{name}: vetoed; a running executor opens no more positions for it")
    else:
        instruct(home, name, Instruction(PIN, args.state, args.reason, now_ns, args.danger))
        print(f"{name}: pinned to {args.state}; from the next policy on (`hean learn`)")


def list_strategies(settings: PipelineSettings) -> list[dict[str, Any]]:
    """Return a row a strategy: what the policy in force says, what promotion found, what a person said since.

    Raises
    ------
    ConfigError
        If ``strategies.json`` is damaged.

    """
    from hean_pipelines.defs.learning.inputs import product
    from hean_pipelines.defs.promotion.instructions_file import read_instructions
    from hean_pipelines.resources.products import Products
    from models.learning.roster import REQUIREMENTS
    from models.portfolio.policy import LIVE, SHADOW, from_text

    products = Products(settings.lake_root)
    said = read_instructions(settings.home)
    kept = products.read_json(product(products, "policy"))
    policy = from_text(kept["document"]) if kept else None
    promotion = products.read_json(product(products, "promotion")) or {"strategies": []}
    found = {row["strategy"]: row for row in promotion["strategies"]}
    rows = []
    for name, requirement in REQUIREMENTS.items():
        own = policy.strategy(name) if policy else None
        word = said.get(name)
        reasons = (
            [f"{r.word}: {r.text}".rstrip(": ") for r in own.reasons]
            if own
            else ["NO_POLICY: run `hean learn`"]
        )
        if word is not None:
            waits = (
                ""
                if own and own.reasons and own.reasons[0].text == word.reason
                else ", not yet in the policy"
            )
            reasons.insert(
                0, f"{word.kind} to {word.state}: {word.reason}{waits if not word.is_veto else ''}"
            )
        state = own.state if own else SHADOW
        rows.append(
            {
                "strategy": name,
                "system": requirement.system,
                "state": SHADOW if word is not None and word.is_veto and state == LIVE else state,
                "share": own.share if own else 0.0,
                "base_share": own.base_share if own else None,
                "reasons": reasons,
                **{
                    key: found.get(name, {}).get(key)
                    for key in ("studies", "evidence", "backtest", "shadow", "live")
                },
                "remedies": _remedies(name, found.get(name, {})),
                "instruction": None if word is None else vars(word),
            }
        )
    return rows


def _remedies(name: str, found: Mapping[str, Any]) -> dict[str, str]:
    """Return what makes each study that has neither passed nor failed on a recorded market, by study."""
    from models.evidence.verdict import NOT_ENOUGH_DATA
    from models.learning.promotion import RECORDED
    from models.learning.roster import REQUIREMENTS

    own = REQUIREMENTS[name]
    # What promotion wrote down may be of an older roster, and of some strategies no study would change anything.
    asked = () if own.shadow_only else own.studies
    judged = {
        each["study"]
        for each in found.get("evidence") or ()
        if each["market"] == RECORDED and each["verdict"] != NOT_ENOUGH_DATA
    }
    return {study: _remedy(study) for study in asked if study not in judged}


def _remedy(study: str) -> str:
    from hean_pipelines.report.inputs import FIRST_STEP, STUDY, TRAIN

    if study == "E1":
        return TRAIN
    job, name = (FIRST_STEP, "strategy:NAME") if study.startswith("S") else (STUDY, "NAME")
    return f"{job}; `hean study {name}` says beforehand what comes out"


def _remedy_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Say once for all strategies what makes the studies that are missing."""
    wanted: dict[str, set[str]] = {}
    for row in rows:
        for study, words in row["remedies"].items():
            wanted.setdefault(words, set()).add(study)
    return [
        f"{', '.join(sorted(studies, key=lambda study: int(study[1:])))}: {words}"
        for words, studies in wanted.items()
    ]


def _policy_words(settings: PipelineSettings) -> str:
    from hean_pipelines.defs.learning.inputs import product
    from hean_pipelines.resources.products import Products

    kept = Products(settings.lake_root).read_json(product(Products(settings.lake_root), "policy"))
    if kept is None:
        return "no policy yet: everything shadows; `hean learn` makes the first"
    return f"policy: version {kept['version']}" + (", held by a person" if kept["is_held"] else "")


def _print(rows: list[dict[str, Any]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table

    table = Table("id", "strategy", "state", "share", "base", "evidence", "backtest bps", "shadow bps", "why")
    for row in rows:
        table.add_row(
            row["system"],
            row["strategy"],
            row["state"],
            f"{row['share']:.1%}",
            "" if row["base_share"] is None else f"{row['base_share']:.1%}",
            _evidence(row),
            _figure(row["backtest"]),
            _figure(row["shadow"]),
            "\n".join(row["reasons"]),
        )
    # Into a file or a pipe, cells are printed whole.
    Console(width=None if sys.stdout.isatty() else 400, markup=False).print(table)


def _evidence(row: dict[str, Any]) -> str:
    made = {each["study"]: f"{each['verdict']} ({each['market']})" for each in row["evidence"] or []}
    return ", ".join(f"{study}: {made.get(study, 'none')}" for study in row["studies"] or [])


def _figure(record: dict[str, Any] | None) -> str:
    if not record or not record["trades"]:
        return "none"
    low = record["low_bps"]
    interval = "no interval" if low is None else f"from {low:+.2f}"
    return f"{record['net_bps']:+.2f}, {interval}, {record['trades']} trades"
