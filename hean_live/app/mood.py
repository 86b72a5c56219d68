"""The crowd's mood in the executor: a bundle's files to a checked mood. Fetching is `model_store`'s, use the outlooks'."""

from __future__ import annotations

from collections.abc import Mapping

from models.bundle import verify_bundle
from models.errors import BundleError
from models.market.mood import FILE, KIND, Mood, from_text

SENTIMENT_KIND = KIND


def load_mood(contents: Mapping[str, bytes]) -> Mood:
    """Verify a sentiment bundle and read it.

    Raises
    ------
    BundleError
        If it is corrupt, of another kind, a number is out of range, or it contradicts its manifest.

    """
    manifest = verify_bundle(contents)
    if manifest.kind != SENTIMENT_KIND:
        raise BundleError(f"bundle kind should be {SENTIMENT_KIND}, was {manifest.kind}")
    if FILE not in contents:
        raise BundleError(f"{FILE} should be in the bundle, was not", remedy="make it again")
    try:
        mood = from_text(contents[FILE].decode())
    except UnicodeDecodeError as error:
        raise BundleError(f"{FILE} should be text: {error}", remedy="make it again") from error
    if mood.expires_ns != manifest.expires_at_ns:
        raise BundleError(
            f"the mood should expire at {manifest.expires_at_ns}, as its manifest says, was {mood.expires_ns}"
        )
    return mood
