"""Files a venue publishes, brought to disk whole: resumed where they broke off, verified, fetched again only when they changed.

A file under way is ``<name>.part`` with a note beside it of what it is a part of; it becomes ``<name>`` by a rename once its
length and, where one is published, its checksum agree. What does not belong here: what is in the files.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from hean_pipelines.sources.http import PoliteHttp
from models.errors import DataError, Retryable, SkipSymbol

_log = logging.getLogger(__name__)
_BLOCK = 1 << 16  # what is lost when a connection breaks
_BREAKS = 8


class NotPublished(SkipSymbol):
    """The venue has no such file: not yet, or never."""


@dataclass(frozen=True)
class Source:
    """Where a file came from, as kept beside what was made of it.

    Attributes
    ----------
    url : str
    etag, modified : str
        The server's words for this version of the file; empty where it gives none.
    size : int
        Bytes.
    sha256 : str
        Of the bytes; compared with the published one where there is one.
    verified : bool
        Whether a published checksum agreed.

    """

    url: str
    etag: str
    modified: str
    size: int
    sha256: str
    verified: bool

    def to_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self), sort_keys=True)


def read_source(path: Path) -> Source | None:
    """Return a kept source, None where there is none that can be read."""
    try:
        return Source(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


class ArchiveFetcher:
    """Downloads published files.

    Parameters
    ----------
    http : PoliteHttp
        Budget and retries.
    folder : Path
        Where files lie while they are used; one subfolder a host.
    on_bytes : callable
        Told how many bytes came, for progress.
    sleep : callable
        Waits after a break, replaceable in tests.

    """

    def __init__(
        self,
        http: PoliteHttp,
        folder: Path,
        on_bytes: Callable[[int], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._folder = folder
        self._on_bytes = on_bytes
        self._sleep = sleep

    def fetch(
        self, url: str, *, checksum_url: str | None = None, known: Source | None = None
    ) -> tuple[Path, Source] | None:
        """Bring one file.

        Parameters
        ----------
        url : str
        checksum_url : str, optional
            A text file whose first word is the SHA-256 of the file.
        known : Source, optional
            The version that has been worked up already.

        Returns
        -------
        tuple of (Path, Source) or None
            None where the server says that `known` is still the newest.

        Raises
        ------
        NotPublished
            On 404.
        DataError
            When the checksum is wrong twice.
        Retryable
            When the download broke off too often; the next call goes on where it stopped.

        """
        path = self._path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        expected = self._published_checksum(checksum_url)
        if known is not None and expected is not None and known.sha256 == expected:
            return None
        for attempt in (1, 2):
            done = self._download(url, path, known if expected is None else None)
            if done is None:
                return None
            head, found = done
            if expected is None or found == expected:
                return path, Source(
                    url, head["etag"], head["modified"], path.stat().st_size, found, expected is not None
                )
            path.unlink()
            _log.warning("%s: checksum should be %s, was %s (attempt %d)", url, expected, found, attempt)
        raise DataError(
            f"{url}: expected the published checksum {expected}, was {found} twice",
            remedy="the venue may be re-issuing the file: run again later",
        )

    def _path(self, url: str) -> Path:
        parts = urlsplit(url)
        return self._folder / parts.netloc.replace(":", "_") / parts.path.lstrip("/")

    def _published_checksum(self, url: str | None) -> str | None:
        if url is None:
            return None
        with self._http.open_stream(url, {}) as reply:
            if reply.status_code == 404:
                return None
            words = reply.content.decode("ascii", "replace").split()
        if not words or len(words[0]) != 64:
            raise DataError(f"{url}: expected a SHA-256 and a name, was {' '.join(words)[:80]!r}")
        return words[0].lower()

    def _download(self, url: str, path: Path, known: Source | None) -> tuple[dict[str, str], str] | None:
        """Return the server's words for the version that is now at `path` and its SHA-256; None if `known` is the newest."""
        part, note = path.with_name(path.name + ".part"), path.with_name(path.name + ".part.json")
        for broken in range(_BREAKS):
            begun = _begun(part, note)
            reply = self._http.open_stream(url, _headers(begun, part, known))
            with reply:
                if reply.status_code == 304:
                    return None
                if reply.status_code == 404:
                    raise NotPublished(
                        f"{url}: expected a published file, was none",
                        remedy="files appear a day late; before a symbol's listing there are none",
                    )
                head = _head(reply)
                if reply.status_code == 416 or (reply.status_code == 206 and begun != head):
                    _forget(part, note)
                    continue
                digest = self._take(reply, part, note, head)
                if digest is not None:
                    part.replace(path)
                    note.unlink(missing_ok=True)
                    return head, digest
            _log.info("%s broke off at %d bytes", url, part.stat().st_size if part.exists() else 0)
            self._sleep(min(0.05 * 2**broken, 5.0))
        raise Retryable(
            f"{url}: expected the whole file, broke off {_BREAKS} times",
            remedy="run again: it goes on where it stopped",
        )

    def _take(self, reply: requests.Response, part: Path, note: Path, head: dict[str, str]) -> str | None:
        """Append the body; return the SHA-256 of the file if it is whole."""
        resumed = reply.status_code == 206
        if not resumed:
            note.write_text(json.dumps(head), encoding="utf-8")
        expected = int(reply.headers.get("Content-Length", -1))
        got, digest = 0, _begun_digest(part) if resumed else hashlib.sha256()
        with part.open("ab" if resumed else "wb") as file:
            try:
                for block in reply.iter_content(_BLOCK):
                    file.write(block)
                    digest.update(block)
                    got += len(block)
                    self._on_bytes(len(block))
            except requests.RequestException:
                return None
        return digest.hexdigest() if expected in (-1, got) else None


def _headers(begun: dict[str, str] | None, part: Path, known: Source | None) -> dict[str, str]:
    if begun is not None:
        version = begun["etag"] or begun["modified"]
        return {"Range": f"bytes={part.stat().st_size}-", "If-Range": version}
    headers = {}
    if known is not None and known.etag:
        headers["If-None-Match"] = known.etag
    elif known is not None and known.modified:
        headers["If-Modified-Since"] = known.modified
    return headers


def _begun(part: Path, note: Path) -> dict[str, str] | None:
    """Return the version a part is of; without one that can be compared it cannot be gone on with."""
    try:
        head = json.loads(note.read_text(encoding="utf-8"))
        if part.stat().st_size and (head["etag"] or head["modified"]):
            return {"etag": str(head["etag"]), "modified": str(head["modified"])}
    except (OSError, ValueError, KeyError):
        pass
    _forget(part, note)
    return None


def _head(reply: requests.Response) -> dict[str, str]:
    etag = reply.headers.get("ETag", "")
    return {
        # A weak tag does not promise equal bytes, so nothing can be appended to it.
        "etag": "" if etag.startswith("W/") else etag,
        "modified": reply.headers.get("Last-Modified", ""),
    }


def _forget(part: Path, note: Path) -> None:
    part.unlink(missing_ok=True)
    note.unlink(missing_ok=True)


def _begun_digest(part: Path) -> hashlib._Hash:
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256")
