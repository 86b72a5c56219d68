"""A bundle verifies whole, and is refused whatever is missing, extra, altered or of another type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from models.bundle import MANIFEST_NAME, build_bundle, read_manifest, verify_bundle
from models.errors import BundleError

CONTENTS = {"candidate.json": b"{}", "nested/model.txt": b"\x00\xff tree"}
FIELDS: dict[str, Any] = {
    "name": "hean-funding",
    "kind": "funding_predictor",
    "feature_spec_hash": "abc",
    "trained_through_ns": 1_735_689_600_000_000_000,
    "expires_at_ns": 1_738_368_000_000_000_000,
    "code_version": "1",
    "data_version": "2",
    "golden": [{"features": [1.0, None], "expected": {"predicted": 0.1 + 0.2}}],
    "evidence": {"E1": {"passed": True, "r2": 0.4}},
}


def _bundle() -> dict[str, bytes]:
    return build_bundle(CONTENTS, **FIELDS)


def test_round_trip() -> None:
    bundle = _bundle()
    manifest = verify_bundle(bundle)
    assert {k: v for k, v in bundle.items() if k != MANIFEST_NAME} == CONTENTS
    for name, value in FIELDS.items():
        assert getattr(manifest, name) == value
    # SHA-256 of the two bytes "{}".
    assert (
        manifest.files["candidate.json"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_the_same_contents_give_the_same_bytes() -> None:
    turned = dict(reversed(list(CONTENTS.items())))
    assert build_bundle(turned, **FIELDS)[MANIFEST_NAME] == _bundle()[MANIFEST_NAME]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: {**b, "nested/model.txt": b"\x00\xff tree "}, r"nested/model\.txt: SHA-256 should be"),
        (lambda b: {k: v for k, v in b.items() if k != "candidate.json"}, "bundle files should be"),
        (lambda b: {**b, "extra.bin": b""}, "bundle files should be"),
        (lambda b: {k: v for k, v in b.items() if k != MANIFEST_NAME}, r"no manifest\.json"),
        (lambda b: {**b, MANIFEST_NAME: b[MANIFEST_NAME][:-20]}, "manifest is unreadable"),
        (lambda b: {**b, MANIFEST_NAME: b""}, "manifest is unreadable"),
        (lambda b: {**b, MANIFEST_NAME: b"\xff\xfe"}, "manifest is unreadable"),
        (lambda b: {**b, MANIFEST_NAME: b"[]"}, "manifest is unreadable"),
    ],
    ids=[
        "altered",
        "missing",
        "extra",
        "no manifest",
        "cut manifest",
        "empty manifest",
        "not text",
        "a list",
    ],
)
def test_a_damaged_bundle_is_refused(
    change: Callable[[dict[str, bytes]], dict[str, bytes]], message: str
) -> None:
    with pytest.raises(BundleError, match=message) as raised:
        verify_bundle(change(_bundle()))
    assert raised.value.remedy
    assert raised.value.exit_code == 8


def _changed(**changes: Any) -> bytes:
    body = {**json.loads(_bundle()[MANIFEST_NAME]), **changes}
    return json.dumps({k: v for k, v in body.items() if v != "drop"}).encode()


@pytest.mark.parametrize("name", [*FIELDS.keys() - {"golden", "evidence"}, "files"])
def test_a_missing_field_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match="manifest is unreadable"):
        read_manifest(_changed(**{name: "drop"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("files", ["candidate.json", "nested/model.txt"]),
        ("golden", None),
        ("golden", [3]),
        ("evidence", []),
        ("expires_at_ns", "tomorrow"),
        ("trained_through_ns", None),
        ("feature_spec_hash", 3),
        ("kind", None),
    ],
)
def test_a_field_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BundleError, match="of another type"):
        read_manifest(_changed(**{name: value}))


def test_a_hash_of_another_type_is_refused() -> None:
    files = {**json.loads(_bundle()[MANIFEST_NAME])["files"], "candidate.json": 3}
    with pytest.raises(BundleError, match=r"candidate\.json: SHA-256 should be"):
        verify_bundle({**_bundle(), MANIFEST_NAME: _changed(files=files)})


def test_an_unknown_field_and_another_schema_are_refused() -> None:
    with pytest.raises(BundleError, match="manifest is unreadable"):
        read_manifest(_changed(surprise=1))
    with pytest.raises(BundleError, match="schema should be 1, was 2"):
        read_manifest(_changed(schema=2))


def test_a_manifest_holds_no_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        build_bundle(CONTENTS, **{**FIELDS, "evidence": {"E1": {"r2": float("nan")}}})
