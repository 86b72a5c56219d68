"""Signed endpoints of wallet, fees, account settings and the key itself.

Here belongs their shapes. The account is one unified account in cross margin, settled in USDT.
"""

from __future__ import annotations

from hean_live.local_testnet.body import Body
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_common import Reply, listed
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row, plain, wallet_row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.engine import MAKER_FEE, TAKER_FEE

MARGIN_MODE = "REGULAR_MARGIN"


def wallet_balance(venue: Venue, query: Query) -> Row:
    """``GET /v5/account/wallet-balance`` of the unified account."""
    if query.required("accountType") != "UNIFIED":
        raise Refused(PARAMETER_ERROR, "accountType only support UNIFIED.")
    row = wallet_row(venue.exchange.wallet_view())
    coins = query.text("coin", "USDT")
    return {"list": [row if not coins or "USDT" in coins.split(",") else row | {"coin": []}]}


def set_margin_mode(venue: Venue, body: Body) -> Reply:
    """``POST /v5/account/set-margin-mode``: cross margin is what the account has, and the only mode it can have."""
    mode = body.required("setMarginMode")
    if mode == MARGIN_MODE:
        return Reply({"reasons": []}, ret_msg="Request accepted")
    if mode not in ("ISOLATED_MARGIN", "PORTFOLIO_MARGIN"):
        raise Refused(PARAMETER_ERROR, "params error: setMarginMode invalid")
    reason: Row = {"reasonCode": "3400000", "reasonMsg": f"{mode} is not served here"}
    return Reply({"reasons": [reason]}, ret_code=3400045, ret_msg="Set margin mode failed")


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
        "marginMode": MARGIN_MODE,
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
