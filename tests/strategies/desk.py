"""A desk for strategies that make one trade at a time: it carries intents out at the next tick, and tells what became of them.

Market orders and exits fill at the mid, a resting target once the mid has reached it; with `fills` False nothing does. Also here:
what every such strategy must do once it holds a position, each check once.
"""

from __future__ import annotations

import math

from models.market.outlook import new_outlook
from models.market.record import new_market
from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, PLACE, POST_ONLY
from models.strategies.one_trade import BOOK_INVALID, LEFT_OVER, STOP, TARGET_ORDER, TIME_OUT, WAITING

START_S = 19_675 * 86_400
"""A midnight."""


class Desk:
    def __init__(self, module, params=None, **features):
        self.module = module
        self.params = module.check_params(params or module.Params())
        self.state = module.new_state()
        self.market, self.outlook = new_market(), new_outlook()
        self.features = {"spread_bps": 1.0, "cascade_side": 0.0, **features}
        self.position, self.entry_price = 0.0, math.nan
        self.orders = []
        self.fills = True
        self.log = []
        self.at_s = 0.0

    def _settle(self, mid):
        kept = []
        for kind, side, price in self.orders:
            if kind == POST_ONLY:
                if not (self.fills and side * (price - mid) >= 0.0):
                    kept.append((kind, side, price))
                    continue
                fill = price
            elif self.fills:
                fill = mid
            else:
                continue
            self.position += side
            self.entry_price = fill if self.position != 0.0 else math.nan
        self.orders = kept

    def tick(self, at_s, mid, **features):
        """Take a tick `at_s` after midnight; a mid of NaN is an invalid book."""
        self._settle(mid)
        row, state = self.market, self.state
        for name, value in {**self.features, **features}.items():
            row[name] = value
        row.tick_at_ns = round((START_S + at_s) * 1e9)
        row.mid = mid
        row.valid = 0 if math.isnan(mid) else 1
        if row.valid == 0:
            row.spread_bps = math.nan
        self.at_s = at_s
        state.position, state.entry_price, state.open_orders = (
            self.position,
            self.entry_price,
            len(self.orders),
        )
        intent = self.module.step(row, self.outlook, self.params, state)
        if intent.action == PLACE:
            self.orders.append((intent.kind, intent.side, intent.price))
        elif intent.action in (CANCEL, EXIT):
            self.orders = []
            if intent.action == EXIT and self.position != 0.0:
                self.orders.append((MARKET_ORDER, -int(self.position), math.nan))
        if intent.action != HOLD:
            self.log.append((at_s, self.module.REASON_NAMES[intent.reason]))
        return intent


def hold(desk):
    """Fill the entry just sent at the mid it was sent at; the next tick is a second later."""
    assert desk.orders[-1][0] == MARKET_ORDER
    desk.tick(desk.at_s + 1.0, desk.state.entry_mid)
    assert desk.position != 0.0
    return desk


def check_stop(desk, fraction):
    """The stop is `fraction` against the mid at entry, and not before."""
    side, mid = desk.position, float(desk.state.entry_mid)
    assert math.isclose(desk.state.stop_price, mid * (1.0 - side * fraction), rel_tol=1e-12)
    inside = mid * (1.0 - side * (fraction - 1e-6))
    assert desk.tick(desk.at_s + 1.0, inside).action != EXIT
    intent = desk.tick(desk.at_s + 1.0, float(desk.state.stop_price))
    assert (intent.action, intent.reason) == (EXIT, STOP)


def check_target(desk, fraction):
    """The target rests as a reduce-only maker order for the whole position; once it has filled, the desk is flat."""
    side, mid = desk.position, float(desk.state.entry_mid)
    price = mid * (1.0 + side * fraction)
    assert desk.orders[0][:2] == (POST_ONLY, -side)
    assert math.isclose(desk.orders[0][2], price, rel_tol=1e-12)
    assert desk.log[-1][1] == "TARGET_ORDER"
    assert desk.tick(desk.at_s + 1.0, mid * (1.0 + side * (fraction - 1e-6))).action == HOLD
    desk.tick(desk.at_s + 1.0, price * (1.0 + side * 1e-9))
    assert desk.position == 0.0
    assert desk.state.phase == 0
    assert desk.log[-1][1] == "TARGET_ORDER"


def check_time_out(desk, seconds):
    """It is out `seconds` after the entry was sent, and not before."""
    mid, sent_s = float(desk.state.entry_mid), 1e-9 * desk.state.sent_ns - START_S
    assert desk.tick(sent_s + seconds - 0.25, mid).action != EXIT
    intent = desk.tick(sent_s + seconds, mid)
    assert (intent.action, intent.reason) == (EXIT, TIME_OUT)


def check_invalid_book(desk):
    """Nothing is sent on an invalid book, not even what is overdue; it is sent once the book is back."""
    mid = float(desk.state.entry_mid)
    for _ in range(2):
        intent = desk.tick(desk.at_s + 1e6, math.nan)
        assert (intent.action, intent.reason) == (HOLD, BOOK_INVALID)
    assert desk.tick(desk.at_s + 1.0, mid).action == EXIT


def check_exit_retried(desk):
    """An exit that did not fill is sent again until it does."""
    desk.fills = False
    beyond = float(desk.state.stop_price) * (1.0 - 1e-4 * desk.position)
    assert desk.tick(desk.at_s + 1.0, beyond).reason == STOP
    # The order's end is not known yet: nothing is sent meanwhile.
    waiting, desk._settle = desk._settle, lambda mid: None
    assert desk.tick(desk.at_s + 1.0, beyond).reason == WAITING
    desk._settle = waiting
    again = desk.tick(desk.at_s + 1.0, beyond)
    assert (again.action, again.reason) == (EXIT, LEFT_OVER)
    desk.fills = True
    desk.tick(desk.at_s + 1.0, beyond)
    assert desk.position == 0.0
    assert desk.state.phase == 0


def check_unfilled_entry(desk):
    """An entry that came back unfilled leaves it flat; `desk` has just sent one."""
    desk.fills = False
    desk.tick(desk.at_s + 1.0, float(desk.state.entry_mid))
    assert desk.state.phase == 0
    assert not any(name == TARGET_ORDER for _, name in desk.log)
