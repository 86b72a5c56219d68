"""Fields of a venue's JSON as text."""

import json

import pytest

from models.errors import DataError
from models.market.bybit_v5 import optional_text, text


def test_text_of_any_language_is_text():
    assert text(json.loads('{"name": "\\u6c38\\u7eed \\ud83d\\ude80"}'), "name", "here") == "永续 🚀"
    assert optional_text({}, "name") == ""


@pytest.mark.parametrize("half", ["\\ud800", "order-1234\\udfff"])
def test_half_a_surrogate_pair_is_refused(half):
    row = json.loads(f'{{"orderId": "{half}"}}')
    with pytest.raises(DataError, match="orderId"):
        text(row, "orderId", "here")
