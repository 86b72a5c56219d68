"""Parameters of a POST request, read the way the venue reads them.

Here belongs reading and refusing; what a parameter means belongs to the handlers.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused


class Body:
    """JSON object of a POST request.

    Parameters
    ----------
    raw : bytes
        Body exactly as sent.

    """

    def __init__(self, raw: bytes) -> None:
        try:
            values = json.loads(raw)
        except ValueError:
            raise Refused(PARAMETER_ERROR, "Request body is not a valid JSON") from None
        if not isinstance(values, dict):
            raise Refused(PARAMETER_ERROR, "Request body must be a JSON object")
        self._values: dict[str, object] = values

    def text(self, name: str, default: str = "") -> str:
        """Value as text; numbers keep their spelling."""
        value = self._values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """Value that must be there."""
        value = self.text(name)
        if not value:
            raise Refused(PARAMETER_ERROR, f"params error: {name} is required")
        return value

    def flag(self, name: str) -> bool:
        """Boolean; absent means false."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise Refused(PARAMETER_ERROR, f"params error: {name} invalid")
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """Whole number."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            raise Refused(PARAMETER_ERROR, f"params error: {name} invalid") from None

    def decimal(self, name: str) -> Decimal | None:
        """Decimal number; None where absent or empty."""
        value = self.text(name)
        if not value:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise Refused(PARAMETER_ERROR, f"params error: {name} invalid") from None
        if not number.is_finite() or number < 0:
            raise Refused(PARAMETER_ERROR, f"params error: {name} invalid")
        return number

    def side(self) -> int:
        """+1 for Buy, -1 for Sell."""
        side = {"Buy": 1, "Sell": -1}.get(self.required("side"))
        if side is None:
            raise Refused(PARAMETER_ERROR, "Side invalid")
        return side

    def linear(self) -> None:
        """Refuse every category but the one an account trades here."""
        if self.required("category") != "linear":
            raise Refused(PARAMETER_ERROR, "params error: Category is invalid")
