"""A small market written by hand: a book of three levels a side around 100.0, tick 0.5, lot 0.1, latencies 100 and 50 ms."""

from __future__ import annotations

import numpy as np

from models.market.book import new_book
from models.market.tape import DEPTH, END_OF_MESSAGE, EVENT, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.fills import parameters as fp
from models.simulation.fills.records import POST_ONLY, new_simulator
from models.simulation.fills.reports import next_report
from models.simulation.fills.requests import send_amend, send_cancel, send_order
from models.simulation.fills.step import finish, step

MS = 1_000_000
START = 1_000_000 * MS
BID, ASK = 199, 201
CONSTANT = fp.constant_latency(fp.FillParameters(tick_size=0.5, lot_size=0.1), 100.0, 50.0)


class HandVenue:
    """Plays events at given milliseconds and collects reports, as dictionaries, when they are known."""

    def __init__(self, parameters=CONSTANT, wallet=1000.0, feed_ms=0.0):
        self.p, self.sim, self.book = parameters, new_simulator(parameters, wallet), new_book(0.5)
        self.feed_ns, self.reports = int(feed_ms * MS), []
        self.play(0, SNAPSHOT_START, 0, 0.0, 0.0)
        for k in range(3):
            self.play(0, SNAPSHOT, 1, (BID - k) / 2, 5.0)
            self.play(0, SNAPSHOT, -1, (ASK + k) / 2, 5.0)
        self.play(0, END_OF_MESSAGE, 0, 0.0, 0.0)

    def play(self, at_ms, kind, side, price, size):
        exch = START + int(at_ms * MS)
        row = np.array([(exch + self.feed_ns, exch, kind, side, price, size)], EVENT)
        step(self.sim, self.p, self.book, row[0])
        self.read(exch + self.feed_ns)

    def depth(self, at_ms, side, tick, size):
        self.play(at_ms, DEPTH, side, tick / 2, size)
        self.play(at_ms, END_OF_MESSAGE, 0, 0.0, 0.0)

    def trade(self, at_ms, side, tick, size):
        self.play(at_ms, TRADE, side, tick / 2, size)

    def order(self, at_ms, number, side, tick, quantity, force=POST_ONLY, reduce_only=0):
        send_order(
            self.sim, self.p, START + int(at_ms * MS), number, side, tick, quantity, force, reduce_only
        )

    def cancel(self, at_ms, number):
        send_cancel(self.sim, self.p, START + int(at_ms * MS), number)

    def amend(self, at_ms, number, tick, quantity):
        send_amend(self.sim, self.p, START + int(at_ms * MS), number, tick, quantity)

    def finish(self):
        finish(self.sim, self.p, self.book)
        self.read(START + 10**15)

    def read(self, local_ns):
        while (slot := next_report(self.sim, self.p, local_ns)) >= 0:
            row = self.sim.reports[slot]
            report = {name: row[name].item() for name in row.dtype.names}
            report["exch_ms"] = (report["exch_ns"] - START) / MS
            report["local_ms"] = (report["local_ns"] - START) / MS
            self.reports.append(report)

    def kinds(self):
        return [report["kind"] for report in self.reports]

    @property
    def account(self):
        return self.sim.account[0]
