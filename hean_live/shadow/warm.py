"""Compile the bank's loop into the kernel cache: `python -m hean_live.shadow.warm`, done in a second where it is cached.

Run as a process of its own, so that compiling costs the executor neither memory nor the interpreter's lock.
"""

from __future__ import annotations


def warm() -> None:
    """Run an empty bank once, by which everything is compiled or found in the cache."""
    from hean_live.kernel_cache import name_kernel_cache

    name_kernel_cache()
    import numpy as np

    from hean_live.shadow.bank import SymbolBank
    from hean_live.shadow.contracts import ShadowContract
    from models.market.outlook import new_outlooks
    from models.market.tape import EVENT

    bank = SymbolBank("WARM", ShadowContract(0.1, 0.001, 0.0002, 0.00055), 10_000.0)
    bank.tell(new_outlooks(1))
    bank.take(np.zeros(1, EVENT))


if __name__ == "__main__":
    warm()
