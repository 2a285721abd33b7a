"""The one JSON encoder for whatever is hashed, signed or stored: RFC 8785 (JCS)."""

import json
from typing import Any

import rfc8785

from consent_server.core.errors import InvalidProof


def encode(value: Any) -> bytes:
    """Canonical bytes of a JSON value (RFC 8785)."""
    return rfc8785.dumps(value)


def decode_strict(data: bytes) -> Any:
    """Read untrusted JSON. A repeated key is refused: two readers could take it for two different claims."""
    try:
        text = data.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
        if "\\ud" in text.lower():
            # Half of a surrogate pair is no character: nothing that is signed or stored may hold one.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        return found
    except (ValueError, RecursionError) as error:
        raise InvalidProof(f"This is not JSON with unique keys: {error}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found
