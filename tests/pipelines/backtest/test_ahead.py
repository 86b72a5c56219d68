from __future__ import annotations

import threading

import pytest

from hean_pipelines.backtest.ahead import ahead


def test_items_come_in_order_from_another_thread():
    makers = []

    def items():
        for k in range(50):
            makers.append(threading.current_thread().name)
            yield k

    assert list(ahead(items())) == list(range(50))
    assert set(makers) == {"tape"}


def test_an_error_of_the_maker_is_raised_by_the_reader():
    def items():
        yield 1
        raise ValueError("broken")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_giving_up_early_ends_the_thread():
    made = []

    def items():
        for k in range(1000):
            made.append(k)
            yield k

    found = ahead(items())
    next(found)
    found.close()
    assert len(made) < 10
    assert "tape" not in {thread.name for thread in threading.enumerate()}
