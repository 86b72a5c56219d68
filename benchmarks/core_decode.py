"""Peer of `benchmarks.core`: what merely decoding the same raw messages costs; runs in an environment of its own.

    python core_decode.py messages.txt

Lines are `<receive time> {message}`. Each line on standard input decodes them all, once by orjson and once by msgspec, and
forgets them; the answer has the seconds of both. Splitting into lines is not counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson


def seconds(decode: Callable[[bytes], Any], messages: list[bytes]) -> float:
    """Decode every message."""
    started = time.process_time()
    for message in messages:
        decode(message)
    return time.process_time() - started


def main() -> None:
    """Answer every line with one run."""
    messages = [line[line.index(b" ") + 1 :] for line in Path(sys.argv[1]).read_bytes().splitlines()]
    decoders = {"orjson": orjson.loads, "msgspec": msgspec.json.Decoder().decode}
    print(json.dumps({"orjson": orjson.__version__, "msgspec": msgspec.__version__}), flush=True)
    for _ in sys.stdin:
        print(json.dumps({name: seconds(decode, messages) for name, decode in decoders.items()}), flush=True)


if __name__ == "__main__":
    main()
