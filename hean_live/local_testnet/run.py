"""Runs one testnet as a process: listens on loopback, says when it is ready, ends when told to or when its parent is gone.

Here belongs the life of the process. Parsing arguments is the command's business.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import Callable

from aiohttp import web

from hean_live.local_testnet import control
from hean_live.local_testnet.app import create_app
from hean_live.local_testnet.venue import Venue
from models.errors import ConfigError

PARENT_POLL_S = 0.25
SHUTDOWN_S = 0.2


def check_loopback(host: str) -> None:
    """Refuse every address another machine could reach.

    Raises
    ------
    ConfigError
        The host is not a loopback address.

    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(
            f"the local testnet listens on loopback only, was asked for host {host!r}",
            remedy="Use --host 127.0.0.1.",
        )


def ready_line(venue: Venue, base_url: str) -> dict[str, object]:
    """Return what a starting process says once it serves: address, keys, market and clock."""
    state = control.describe(venue)
    return {
        "ready": True,
        "base_url": base_url,
        "stream_url": base_url.replace("http://", "ws://", 1),
        "api_key": venue.keys.api_key,
        "api_secret": venue.keys.api_secret,
        "market": state["market"],
        "market_time_ms": state["market_time_ms"],
        "first_ms": state["first_ms"],
        "last_ms": state["last_ms"],
        "speed": state["speed"],
        "symbols": state["symbols"],
    }


async def run(
    venue: Venue, host: str, port: int, parent_pid: int | None, on_ready: Callable[[dict[str, object]], None]
) -> None:
    """Serve until SIGTERM, SIGINT, or the end of the parent process.

    Parameters
    ----------
    venue : Venue
    host : str
        Loopback address.
    port : int
        0 picks a free one.
    parent_pid : int or None
        Process to outlive by at most a quarter of a second.
    on_ready : callable
        Called once with `ready_line`.

    Raises
    ------
    ConfigError
        Host not loopback, or port taken.

    """
    check_loopback(host)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(create_app(venue), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    watcher = asyncio.create_task(_watch_parent(parent_pid, stop)) if parent_pid is not None else None
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(
                f"port {port} of {host} must be free, was refused: {error}", remedy="Use --port 0."
            ) from error
        on_ready(ready_line(venue, _base_url(runner.addresses[0])))
        await stop.wait()
    finally:
        if watcher is not None:
            watcher.cancel()
        await runner.cleanup()


def _base_url(address: tuple[str, int] | tuple[str, int, int, int]) -> str:
    host, port = address[0], address[1]
    return f"http://[{host}]:{port}" if _is_v6(host) else f"http://{host}:{port}"


def _is_v6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return False
    return True


async def _watch_parent(pid: int, stop: asyncio.Event) -> None:
    own_parent = os.getppid() == pid
    while not stop.is_set():
        # A dead parent may linger as a zombie that still answers signals; being re-parented tells as well.
        if not _alive(pid) or (own_parent and os.getppid() != pid):
            stop.set()
        await asyncio.sleep(PARENT_POLL_S)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
