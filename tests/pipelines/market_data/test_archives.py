"""Downloads against a real server that breaks off, changes its mind and lies."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hean_pipelines.sources.archives import ArchiveFetcher, NotPublished
from hean_pipelines.sources.http import PoliteHttp
from models.errors import DataError, Retryable

BODY = bytes(range(256)) * 20_000


@dataclass
class File:
    body: bytes = BODY
    etag: str = '"v1"'
    break_after: list[int] = field(default_factory=list)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, File] = {}
        self.ranges: list[str | None] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        file = self.server.files.get(self.path.lstrip("/"))
        if file is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        if self.headers.get("If-None-Match") == file.etag:
            self.send_response(304)
            self.end_headers()
            return
        start = 0
        if wanted and self.headers.get("If-Range") == file.etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        body = file.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("ETag", file.etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = file.break_after.pop(0) if file.break_after else len(body)
        self.wfile.write(body[:cut])
        if cut < len(body):
            self.wfile.flush()
            self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def fetcher(tmp_path) -> Iterator[ArchiveFetcher]:
    http = PoliteHttp(backoff_s=0.01, max_attempts=2)
    yield ArchiveFetcher(http, tmp_path / "archives", sleep=lambda _: None)
    http.close()


def checksum(body: bytes, name: str) -> File:
    return File(f"{hashlib.sha256(body).hexdigest()}  {name}\n".encode(), etag='"c"')


def test_a_whole_file_and_its_checksum(server, fetcher):
    server.files = {"a.zip": File(), "a.zip.CHECKSUM": checksum(BODY, "a.zip")}
    got = fetcher.fetch(server.url("a.zip"), checksum_url=server.url("a.zip.CHECKSUM"))
    assert got is not None
    path, source = got
    assert path.read_bytes() == BODY
    assert source.verified
    assert source.size == len(BODY)
    assert [p.name for p in path.parent.iterdir()] == ["a.zip"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(server, fetcher):
    server.files = {"a.zip": File(break_after=[1_000_000, 1_500_000])}
    got = fetcher.fetch(server.url("a.zip"))
    assert got is not None
    assert got[0].read_bytes() == BODY
    assert server.ranges[0] is None
    assert all(r is not None for r in server.ranges[1:])


def test_a_file_that_changed_meanwhile_is_begun_again(server, fetcher):
    file = File(break_after=[1_000_000])
    server.files = {"a.zip": file}
    other = bytes(reversed(BODY))

    def change(_: int) -> None:
        file.body, file.etag = other, '"v2"'

    fetcher._on_bytes = change
    got = fetcher.fetch(server.url("a.zip"))
    assert got is not None
    assert got[0].read_bytes() == other
    assert got[1].etag == '"v2"'


def test_what_is_known_and_unchanged_is_not_fetched(server, fetcher):
    server.files = {"a.zip": File()}
    first = fetcher.fetch(server.url("a.zip"))
    assert first is not None
    assert fetcher.fetch(server.url("a.zip"), known=first[1]) is None
    server.files["a.zip"].etag = '"v2"'
    assert fetcher.fetch(server.url("a.zip"), known=first[1]) is not None


def test_a_known_checksum_spares_the_download(server, fetcher):
    server.files = {"a.zip": File(), "a.CHECKSUM": checksum(BODY, "a.zip")}
    first = fetcher.fetch(server.url("a.zip"), checksum_url=server.url("a.CHECKSUM"))
    assert first is not None
    del server.files["a.zip"]
    assert fetcher.fetch(server.url("a.zip"), checksum_url=server.url("a.CHECKSUM"), known=first[1]) is None


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(server, fetcher, tmp_path):
    server.files = {"a.zip": File(), "a.CHECKSUM": checksum(b"other", "a.zip")}
    with pytest.raises(DataError, match="checksum"):
        fetcher.fetch(server.url("a.zip"), checksum_url=server.url("a.CHECKSUM"))
    assert not [p for p in (tmp_path / "archives").rglob("*") if p.is_file()]


def test_a_file_that_is_not_there_is_named(server, fetcher):
    with pytest.raises(NotPublished, match=r"a\.zip"):
        fetcher.fetch(server.url("a.zip"))


def test_breaking_off_without_end_is_given_up_and_the_next_call_goes_on(server, fetcher, tmp_path):
    server.files = {"a.zip": File(break_after=[100_000] * 8)}
    with pytest.raises(Retryable, match="broke off"):
        fetcher.fetch(server.url("a.zip"))
    (part,) = (tmp_path / "archives").rglob("*.part")
    assert part.stat().st_size > 0
    got = fetcher.fetch(server.url("a.zip"))
    assert got is not None
    assert got[0].read_bytes() == BODY
