"""Published files in the venues' true formats, made small, and a server for them."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BYBIT_HEADER = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
)
AGG_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def write_gzip(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


def write_zip(path: Path, lines: Sequence[str], *, checksum: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.name.replace(".zip", ".csv"), "\n".join(lines) + "\n")
    path.write_bytes(buffer.getvalue())
    if checksum:
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        path.with_name(path.name + ".CHECKSUM").write_text(f"{digest}  {path.name}\n")


def bybit_day(
    folder: Path, day: str, rows: Sequence[str], symbol: str = "BTCUSDT", *, header: bool = True
) -> None:
    """Write a day of Bybit trades; rows are ``second,side,size,price,id`` with the second of the day."""
    from datetime import UTC, datetime

    midnight = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    lines = [BYBIT_HEADER] if header else []
    for row in rows:
        second, side, size, price, trade_id = row.split(",")
        stamp = f"{midnight + float(second):.4f}"
        lines.append(f"{stamp},{symbol},{side},{size},{price},PlusTick,{trade_id},1,{size},1")
    write_gzip(folder / "trading" / symbol / f"{symbol}{day}.csv.gz", lines)


def agg_day(
    folder: Path, day: str, rows: Sequence[str], symbol: str = "BTCUSDT", *, header: bool = True
) -> None:
    """Write a day of Binance aggTrades; rows are the file's own."""
    name = f"{symbol}-aggTrades-{day}.zip"
    lines = ([AGG_HEADER] if header else []) + list(rows)
    write_zip(folder / "data/futures/um/daily/aggTrades" / symbol / name, lines)
