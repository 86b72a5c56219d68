"""Signed endpoints of positions, wallet, fees and the key itself.

Here belongs their shapes. The account is one unified account in one-way mode, cross margin, settled in USDT.
"""

from __future__ import annotations

from hean_live.local_testnet.body import Body
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_orders import listed, scope
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row, plain, position_row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.account import to_cents
from models.simulation.exchange.engine import MAKER_FEE, TAKER_FEE
from models.simulation.exchange.orders import OrderRequest


def positions(venue: Venue, query: Query) -> Row:
    """``GET /v5/position/list``: by symbol also a flat row, by settle coin open positions only."""
    if query.category() != "linear":
        raise Refused(PARAMETER_ERROR, "params error: Category is invalid")
    symbol = query.text("symbol")
    wanted = scope(venue, symbol, query.text("baseCoin"), query.text("settleCoin"))
    rows = [
        position_row(venue.exchange, venue.exchange.position(name), listed(venue, name))
        for name in sorted(wanted)
        if symbol or venue.exchange.position(name).qty
    ]
    return {"category": "linear", "list": rows[: query.limit(20, 200)], "nextPageCursor": ""}


def set_leverage(venue: Venue, body: Body) -> Row:
    """``POST /v5/position/set-leverage``; both sides must be equal in one-way mode."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    body.required("buyLeverage")
    buy, sell = body.decimal("buyLeverage"), body.decimal("sellLeverage")
    if buy is None or buy != sell:
        raise Refused(PARAMETER_ERROR, "buy leverage invalid")
    venue.exchange.set_leverage(listing.symbol, buy)
    return {}


def trading_stop(venue: Venue, body: Body) -> Row:
    """``POST /v5/position/trading-stop``: stop loss and take profit of the whole position; ``"0"`` removes one."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    if body.text("tpslMode", "Full") != "Full":
        raise Refused(PARAMETER_ERROR, "tpslMode Partial is not served here")
    stop_loss, take_profit = body.decimal("stopLoss"), body.decimal("takeProfit")
    if stop_loss is None and take_profit is None:
        raise Refused(34040, "not modified")
    position = venue.exchange.position(listing.symbol)
    venue.exchange.set_stops(
        listing.symbol,
        OrderRequest(
            symbol=listing.symbol,
            side=position.side,
            order_type="Market",
            qty=position.qty,
            stop_loss=stop_loss,
            take_profit=take_profit,
            stop_loss_by=body.text("slTriggerBy") or "LastPrice",
            take_profit_by=body.text("tpTriggerBy") or "LastPrice",
        ),
    )
    return {}


def switch_mode(venue: Venue, body: Body) -> Row:
    """``POST /v5/position/switch-mode``: one-way only, so asking for it changes nothing."""
    body.linear()
    if body.integer("mode") != 0:
        raise Refused(PARAMETER_ERROR, "hedge mode is not served here")
    raise Refused(110025, "Position mode is not modified")


def wallet_balance(venue: Venue, query: Query) -> Row:
    """``GET /v5/account/wallet-balance`` of the unified account."""
    if query.required("accountType") != "UNIFIED":
        raise Refused(PARAMETER_ERROR, "accountType only support UNIFIED.")
    exchange = venue.exchange
    wallet = exchange.account.wallet_usd
    unrealised = exchange.unrealised_usd()
    equity = wallet + unrealised
    on_positions, on_orders = exchange.position_margin_usd(), exchange.order_margin_usd()
    margin = on_positions + on_orders
    rate = plain(round(margin / equity, 8)) if equity > 0 else "0"
    maintenance = plain(to_cents(on_positions / 2))
    coin: Row = {
        "coin": "USDT",
        "equity": plain(to_cents(equity)),
        "usdValue": plain(to_cents(equity)),
        "walletBalance": plain(wallet),
        "unrealisedPnl": plain(to_cents(unrealised)),
        "cumRealisedPnl": plain(wallet - exchange.account.equity_at_start_usd),
        "totalOrderIM": plain(to_cents(on_orders)),
        "totalPositionIM": plain(to_cents(on_positions)),
        "totalPositionMM": maintenance,
        "locked": "0",
        "borrowAmount": "0",
        "spotBorrow": "0",
        "accruedInterest": "0",
        "availableToBorrow": "",
        "availableToWithdraw": "",
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "spotHedgingQty": "0",
    }
    coins = (
        [coin]
        if query.text("coin", "USDT") in ("", "USDT") or "USDT" in query.text("coin").split(",")
        else []
    )
    total: Row = {
        "accountType": "UNIFIED",
        "totalEquity": plain(to_cents(equity)),
        "totalWalletBalance": plain(wallet),
        "totalMarginBalance": plain(to_cents(equity)),
        "totalAvailableBalance": plain(to_cents(equity - margin)),
        "totalPerpUPL": plain(to_cents(unrealised)),
        "totalInitialMargin": plain(to_cents(margin)),
        "totalInitialMarginByMp": plain(to_cents(margin)),
        "totalMaintenanceMargin": maintenance,
        "totalMaintenanceMarginByMp": maintenance,
        "accountIMRate": rate,
        "accountIMRateByMp": rate,
        "accountMMRate": "0",
        "accountMMRateByMp": "0",
        "accountLTV": "0",
        "coin": coins,
    }
    return {"list": [total]}


def fee_rate(venue: Venue, query: Query) -> Row:
    """``GET /v5/account/fee-rate``: the lowest tier's, for one symbol or all."""
    query.category()
    symbol = query.text("symbol")
    names = [listed(venue, symbol).symbol] if symbol else sorted(venue.market.listings("linear"))
    return {
        "list": [
            {"symbol": name, "takerFeeRate": plain(TAKER_FEE), "makerFeeRate": plain(MAKER_FEE)}
            for name in names
        ]
    }


def account_info(venue: Venue, query: Query) -> Row:
    """``GET /v5/account/info``."""
    return {
        "marginMode": "REGULAR_MARGIN",
        "updatedTime": str(venue.exchange.now_ms),
        "unifiedMarginStatus": 5,
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def query_api(venue: Venue, query: Query) -> Row:
    """``GET /v5/user/query-api``: what the key may do; withdrawal only where the testnet was started so."""
    wallet = ["AccountTransfer", "SubMemberTransfer"] + (["Withdraw"] if venue.keys.can_withdraw else [])
    return {
        "id": "1",
        "note": "local testnet",
        "apiKey": venue.keys.api_key,
        "readOnly": 0,
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Spot": ["SpotTrade"],
            "Wallet": wallet,
            "Options": [],
            "Derivatives": ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
            "Earn": [],
        },
        "ips": ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2099-01-01T00:00:00Z",
        "createdAt": "2020-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": 1,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }
