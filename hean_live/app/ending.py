"""Whether the loop has run as long as it was asked to. Reads only."""

from __future__ import annotations

from hean_live.app.parts import Options, Parts


class Ending:
    """Counts settlements that have passed.

    Parameters
    ----------
    parts : Parts
    options : Options
    exit_after_s : int
        Market seconds after a settlement at which positions are left; it counts as passed then.

    """

    def __init__(self, parts: Parts, options: Options, exit_after_s: int) -> None:
        self._parts = parts
        self._options = options
        self._exit_after_ns = exit_after_s * 1_000_000_000
        self._settlements: set[int] = set()

    def count(self) -> None:
        """Note the settlements that lie ahead."""
        now_ns = self._parts.feed.now_ns
        for symbol in self._parts.engine.symbols:
            ticker = self._parts.feed.tickers.get(symbol)
            if ticker is not None and ticker.next_funding_ns and ticker.next_funding_ns > now_ns:
                self._settlements.add(ticker.next_funding_ns)

    def reason(self, running_s: float) -> str:
        """Return why the loop is to end after so many seconds, an empty string if it is not."""
        options, now_ns = self._options, self._parts.feed.now_ns
        if options.once:
            return "one poll was asked for"
        if options.duration_s is not None and running_s >= options.duration_s:
            return f"ran for {options.duration_s:g} s as asked"
        passed = sum(ts + self._exit_after_ns <= now_ns for ts in self._settlements)
        enough = options.until_settlements is not None and passed >= options.until_settlements
        if enough and self._parts.engine.is_idle:
            return f"{passed} settlements have passed as asked"
        return ""
