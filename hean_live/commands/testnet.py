"""`hean testnet`: a Bybit-compatible venue on loopback, for rehearsals without an account or a network.

Here belong arguments and printing; the server is `hean_live.local_testnet`.
"""

from __future__ import annotations

import argparse
import json
import time
from decimal import Decimal, InvalidOperation

_DESCRIPTION = """\
Serve Bybit's v5 REST API and WebSockets on 127.0.0.1: public market data, signed orders, positions, wallet, funding.
An unmodified Bybit client trades against it by changing its endpoint alone.

The market is synthetic (seeded, with known truth, funded by the venue's own formula), a recording, the synthetic one with live
ticks (order-flow) or a recorded tape of ticks. It has a clock of its own, which may run fast or stand still; signatures and rate
limits follow the real clock. Faults and latency can be drawn from a seed, or ordered one by one while it runs.

When it serves, one line of JSON is printed: address, key pair, market time, symbols. It runs until Ctrl-C or SIGTERM.
"""

_EPILOG = """\
examples:
  hean testnet                                              90 days of five symbols up to the present hour
  hean testnet --market synthetic --seed 3 --days 365 --symbols BTCUSDT,WIFUSDT
  hean testnet --now 2025-06-01T00:00 --speed 60            one market minute per second
  hean testnet --market recorded:../shared/data/history --now 2025-07-01 --speed 0
  hean testnet --market order-flow --activity 5             live ticks from now on, five times as busy
  hean testnet --market tape:recording.jsonl --now present  a recorded tape, moved to the present
  hean testnet --faults seed:11:0.05 --latency-in-ms 50-150 --latency-out-ms 50-150
  curl -X POST http://127.0.0.1:PORT/testnet/clock -d '{"advance_ms": 28800000}'
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `testnet` to the command line."""
    parser = subparsers.add_parser(
        "testnet",
        help="serve a Bybit-compatible venue on loopback",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="loopback address to listen on (default %(default)s)"
    )
    parser.add_argument("--port", type=int, default=0, help="port; 0 picks a free one (default %(default)s)")
    parser.add_argument(
        "--market",
        default="synthetic",
        help="synthetic, recorded:FOLDER, order-flow or tape:FILE (default %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="seed of the synthetic market and the keys (default %(default)s)"
    )
    parser.add_argument(
        "--symbols", type=_symbols, help="comma-separated; default five, or all that is recorded"
    )
    parser.add_argument(
        "--start", help="first day of the synthetic history, ISO, UTC (default: --days before the clock)"
    )
    parser.add_argument(
        "--now",
        help="instant the market clock starts at, ISO, UTC, or 'present' (default: this hour; the recording's end; for "
        "order-flow the present; a tape's own start)",
    )
    parser.add_argument("--days", type=int, help="days of synthetic history before the clock (default 90)")
    parser.add_argument(
        "--extra-days", type=int, default=30, help="days the synthetic market goes on (default %(default)s)"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, help="market seconds per real second; 0 stands still (default 1)"
    )
    parser.add_argument(
        "--equity", type=_amount, default="500", help="USDT in the account (default %(default)s)"
    )
    parser.add_argument(
        "--can-withdraw", action="store_true", help="report a key with withdrawal rights, to test refusals"
    )
    parser.add_argument(
        "--activity",
        type=float,
        default=1.0,
        help="factor on the order flow's rates (default %(default)s)",
    )
    parser.add_argument(
        "--faults",
        metavar="seed:N[:RATE]",
        help="draw faults from a seed; RATE is the share of requests struck",
    )
    parser.add_argument(
        "--latency-in-ms", default="0", metavar="MS[-MS]", help="delay of requests (default %(default)s)"
    )
    parser.add_argument(
        "--latency-out-ms",
        default="0",
        metavar="MS[-MS]",
        help="delay of replies and messages (default %(default)s)",
    )
    parser.add_argument("--parent-pid", type=int, help="end when this process is gone")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped; exit code 0 after SIGTERM or Ctrl-C."""
    import asyncio

    from hean_live.local_testnet import run as process
    from hean_live.local_testnet import setup
    from hean_live.local_testnet.fault_schedule import parse_schedule
    from hean_live.local_testnet.latency import parse_latency
    from hean_live.local_testnet.venue import derive_keys

    process.check_loopback(args.host)
    market, now_ms = setup.open_market(
        args.market,
        seed=args.seed,
        symbols=args.symbols,
        start_ms=setup.parse_instant(args.start) if args.start else None,
        now_ms=_now(args.now),
        days=args.days,
        extra_days=args.extra_days,
        activity=args.activity,
    )
    keys = derive_keys(args.seed, can_withdraw=args.can_withdraw)
    venue = setup.build_venue(
        market,
        keys,
        now_ms=now_ms,
        speed=args.speed,
        equity=args.equity,
        schedule=parse_schedule(args.faults) if args.faults else None,
        latency_in=parse_latency(args.latency_in_ms, args.seed),
        latency_out=parse_latency(args.latency_out_ms, args.seed + 1),
    )
    asyncio.run(process.run(venue, args.host, args.port, args.parent_pid, _say))
    return 0


def _now(words: str | None) -> int | None:
    from hean_live.local_testnet import setup

    if not words:
        return None
    return time.time_ns() // 1_000_000 if words == "present" else setup.parse_instant(words)


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


def _symbols(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or any(name != name.upper() for name in names):
        raise argparse.ArgumentTypeError(f"symbols must be upper-case and separated by commas, was {text!r}")
    return names


def _amount(text: str) -> str:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"an amount of USDT must be a number, was {text!r}") from None
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError(f"an amount of USDT must be positive, was {text!r}")
    return text
