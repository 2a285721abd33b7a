"""The only keys: Ed25519 for receipts and states (JWS), HMAC for links that this server alone checks."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from itsdangerous import Signer
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from consent_server.core.canonical import decode_strict
from consent_server.core.errors import Fault, InvalidProof, InvalidSettings, KeysNotOurs
from consent_server.core.files import read_text, replace_secret, write_once
from consent_server.core.notes import ED25519, NoteKey, Verify
from consent_server.core.seal_guard import SealGuard
from consent_server.core.settings import Settings

# Named on each call and never taken from a header: a token must not choose how it is checked.
ALGORITHM = "EdDSA"
# Made once: `json.dumps` makes one for each call.
JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
# Seconds by which a key's end may be missed: a process may be signing while the file is replaced, and clocks differ.
LEEWAY = 60
YEAR_10000 = 253_402_300_800


class KeyRing:
    """Keys from oldest to newest. The newest signs; the others verify what they signed while they were in use.

    A retired key says in `exp` since when it signs no more, in seconds since 1970, and one that others may know in
    `revoked.revoked_at` since when that is so (the members of OpenID Federation 1.0, section 8.7.2). A key that was
    retired before there was `exp` has none, and verifies whatever it signed.
    """

    def __init__(self, keys: list[OKPKey]) -> None:
        self._by_id = {key.thumbprint(): key for key in keys}
        said: dict[str, dict[str, Any]] = {kid: key.as_dict(private=False) for kid, key in self._by_id.items()}
        self._retired_at = {kid: members["exp"] for kid, members in said.items() if "exp" in members}
        self._revoked = {kid for kid, members in said.items() if "revoked" in members}
        self._newest = keys[-1]
        self.kid = self._newest.thumbprint()
        # What keeps this server's own keys from signing two histories; others only verify.
        self.guard: SealGuard | None = None
        self._headers: dict[str, str] = {}

    @classmethod
    def from_jwks(cls, text: str) -> "KeyRing":
        """Read a JWK Set (RFC 7517) of Ed25519 keys. Raises InvalidProof."""
        document = decode_strict(text.encode())
        try:
            keys = [OKPKey.import_key(key) for key in document["keys"]]
            if not keys or any(key.curve_name != "Ed25519" for key in keys):
                raise ValueError("it needs at least one key, and Ed25519 keys only")
            for key in keys:
                _require_times(key)
            if any(_is_torn(key) for key in keys):
                raise ValueError("the public half of a key does not match its private half")
            return cls(keys)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidProof(f"This is not a JWK Set of Ed25519 keys: {error}") from error

    def sign(self, claims: Mapping[str, Any], token_type: str) -> str:
        """A compact JWS (RFC 7515) of the claims by the newest key."""
        signed = f"{self._header(token_type)}.{_base64url(JSON.encode(claims).encode())}"
        return f"{signed}.{_base64url(self.sign_bytes(signed.encode()))}"

    def _header(self, token_type: str) -> str:
        # The same for every token of a type: the first one makes it.
        if token_type not in self._headers:
            header = {"alg": ALGORITHM, "typ": token_type, "kid": self.kid}
            self._headers[token_type] = _base64url(JSON.encode(header).encode())
        return self._headers[token_type]

    def require_private(self) -> None:
        """Raises InvalidProof when the newest key cannot sign."""
        if not self._newest.is_private:
            raise InvalidProof("The newest key cannot sign: its private half is not here.")
        if self.kid in self._retired_at or self.kid in self._revoked:
            raise InvalidProof("The newest key is retired or revoked. Put another behind it: consent key rotate")

    def sign_bytes(self, message: bytes) -> bytes:
        """A bare Ed25519 signature by the newest key, for signed notes."""
        key = self._newest.private_key
        # A ring holds Ed25519 keys only; the library's type is wider.
        assert isinstance(key, Ed25519PrivateKey)
        return key.sign(message)

    def public_bytes(self) -> bytes:
        """The newest public key, 32 bytes."""
        return _raw_public(self._newest)

    def note_keys(self, origin: str, at: datetime | None = None, revoked: bool = True) -> dict[NoteKey, Verify]:
        """The keys that may sign a ledger's notes, with how to check each: all, or those in use at a time.

        Without the revoked ones for who knows nothing but keys and note: others may have signed it.
        """
        known = {kid: key for kid, key in self._by_id.items() if revoked or kid not in self._revoked}
        used = [key for kid, key in known.items() if at is None or self._in_use(kid, at.timestamp())]
        return {key: note_verifier(key) for key in (NoteKey(origin, ED25519, _raw_public(key)) for key in used)}

    def _in_use(self, kid: str, at: float) -> bool:
        retired_at = self._retired_at.get(kid)
        return retired_at is None or at <= retired_at + LEEWAY

    def require_in_use(self, kid: str, claims: Mapping[str, Any]) -> None:
        """Raises InvalidProof for what a key signed after it was retired, or without saying when."""
        if kid in self._retired_at and not (type(claims.get("iat")) is int and self._in_use(kid, claims["iat"])):
            ended = datetime.fromtimestamp(self._retired_at[kid], UTC)
            raise InvalidProof(f"It was signed after its key was retired on {ended:%Y-%m-%d at %H:%M:%S} UTC.")

    def is_revoked(self, kid: str) -> bool:
        """Whether others may have this key, so that its signature alone proves nothing, whatever it is dated."""
        return kid in self._revoked

    def public_jwks(self) -> dict[str, Any]:
        """The public keys as a JWK Set, oldest first."""
        return {"keys": [_public(key) for key in self._by_id.values()]}

    def retired_jwks(self, now: datetime) -> list[dict[str, Any]]:
        """The public keys, each with the time since when it signs no more: now, where it had none."""
        return [{"exp": int(now.timestamp())} | key for key in self.public_jwks()["keys"]]

    def key(self, kid: str) -> OKPKey:
        """The key of this RFC 7638 thumbprint. Raises InvalidProof."""
        try:
            return self._by_id[kid]
        except KeyError:
            raise InvalidProof(f"No published key has the id {kid!r}.") from None


class KeySource:
    """The key ring in force. A file that changes is read again, so that a rotation needs no restart."""

    def __init__(self, settings: Settings) -> None:
        self._file: Path | None = None if settings.signing_keys else settings.signing_keys_file
        self._stamp = -1
        self.guard = SealGuard(settings.instance, [witness.name for witness in settings.witnesses])
        if self._file is not None:
            write_once(self._file, new_key_set())
        try:
            if settings.signing_keys:
                self._ring = self._guarded(settings.signing_keys)
            # Said at the start: otherwise each visitor's decision would fail.
            self.ring.require_private()
        except (InvalidProof, UnicodeDecodeError) as error:
            name = "CONSENT_SIGNING_KEYS" if self._file is None else str(self._file)
            raise InvalidSettings("The signing keys cannot be used.", [Fault(name, str(error))]) from error

    @property
    def ring(self) -> KeyRing:
        """The keys as of now."""
        if self._file is not None:
            stamp = self._file.stat().st_mtime_ns
            if stamp != self._stamp:
                self._ring = self._guarded(read_text(self._file))
                self._stamp = stamp
        return self._ring

    def _guarded(self, text: str) -> KeyRing:
        ring = KeyRing.from_jwks(text)
        ring.guard = self.guard
        return ring

    def rotate(self, now: datetime) -> str:
        """Add a new key that signs from now on, and return its id.

        The retired private keys are forgotten, their public halves kept: nobody can sign with them again, every old
        receipt still verifies, and what is dated later than now does not.
        """
        return self._write(self.ring.retired_jwks(now), OKPKey.generate_key("Ed25519"))

    def revoke(self, kid: str, now: datetime) -> str:
        """Say that others may have a key, and return the id of the one that signs from now on: another.

        Raises InvalidProof for a key that is not in the set.
        """
        if kid == self.ring.kid:
            return self._write(_revoke(self.ring.retired_jwks(now), kid, now), OKPKey.generate_key("Ed25519"))
        self.ring.key(kid)
        *retired, _ = _revoke(self.ring.retired_jwks(now), kid, now)
        return self._write(retired, self.ring.key(self.ring.kid))

    def _write(self, retired: list[dict[str, Any]], newest: OKPKey) -> str:
        if self._file is None:
            raise KeysNotOurs(
                "The keys come from CONSENT_SIGNING_KEYS. Put them in a file and set CONSENT_SIGNING_KEYS_FILE."
            )
        try:
            replace_secret(self._file, _jwks([*map(OKPKey.import_key, retired), newest]))
        except OSError as error:
            raise KeysNotOurs(
                f"{self._file} cannot be replaced: {error.strerror}. Do it as the user who owns the file and folder."
            ) from error
        return newest.thumbprint()


def _revoke(public: list[dict[str, Any]], kid: str, now: datetime) -> list[dict[str, Any]]:
    # Since when others may have it nobody knows: this is when it was said, and the first time stands.
    said = {"revoked": {"revoked_at": int(now.timestamp())}}
    return [said | key if key["kid"] == kid else key for key in public]


def _require_times(key: OKPKey) -> None:
    times: dict[str, Any] = key.as_dict(private=False)
    revoked = times.get("revoked", {"revoked_at": 0})
    for time in (times.get("exp", 0), revoked["revoked_at"]):
        if type(time) is not int or not 0 <= time < YEAR_10000:
            raise ValueError("`exp` and `revoked.revoked_at` are whole seconds since 1970")


def _is_torn(key: OKPKey) -> bool:
    private = key.private_key
    return isinstance(private, Ed25519PrivateKey) and (
        private.public_key().public_bytes_raw() != _strict_base64url(str(key.as_dict(private=False)["x"]))
    )


def _raw_public(key: OKPKey) -> bytes:
    return bytes(key.public_key.public_bytes_raw())


def note_verifier(key: NoteKey) -> Verify:
    """How to check what a key of notes signed."""
    public = Ed25519PublicKey.from_public_bytes(key.public)

    def verify(message: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def new_key_set() -> str:
    """A JWK Set with one new private key."""
    return _jwks([OKPKey.generate_key("Ed25519", auto_kid=False)])


def _jwks(keys: list[OKPKey]) -> str:
    return json.dumps({"keys": [key.as_dict(private=key.is_private) for key in keys]}, indent=1)


def _public(key: OKPKey) -> dict[str, Any]:
    public = key.as_dict(private=False)
    # `alg` equals the header's (RFC 9864 names it Ed25519 too): some libraries refuse a mismatch.
    return {**public, "kid": key.thumbprint(), "alg": ALGORITHM, "use": "sig"}


def read_header(token: str) -> dict[str, Any]:
    """The protected header of a compact JWS, checked for form alone. Raises InvalidProof."""
    segments = token.split(".")
    if len(segments) != 3 or not token.isascii():
        raise InvalidProof("A compact JWS has three parts of base64url, joined by dots.")
    header = decode_strict(_strict_base64url(segments[0]))
    for segment in segments[1:]:
        _strict_base64url(segment)
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"}:
        raise InvalidProof("The header must hold alg, typ and kid, and nothing else.")
    return header


def verify_jws(token: str, token_type: str, ring: KeyRing) -> dict[str, Any]:
    """The claims of a compact JWS of this type that a key of the ring signed while in use. Raises InvalidProof."""
    header = read_header(token)
    if header["alg"] != ALGORITHM or header["typ"] != token_type:
        raise InvalidProof(f"The header must say alg {ALGORITHM} and typ {token_type}.")
    key = ring.key(str(header["kid"]))
    try:
        content = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise InvalidProof("The signature does not match the content.") from error
    claims = decode_strict(content.payload)
    if not isinstance(claims, dict):
        raise InvalidProof("The payload is not a JSON object.")
    ring.require_in_use(str(header["kid"]), claims)
    return claims


def unsigned_claims(token: str) -> dict[str, Any]:
    """What a compact JWS says, whoever signed it: to tell what it is, never to believe it. Raises InvalidProof."""
    claims = decode_strict(_strict_base64url(token.split(".")[1]))
    if not isinstance(claims, dict):
        raise InvalidProof("The payload is not a JSON object.")
    return claims


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _strict_base64url(segment: str) -> bytes:
    # The last character of a part may hold bits that no decoder looks at. Refusing all but the one
    # canonical form means that every flipped byte of a token is seen.
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidProof("A part of the token is not base64url.") from error
    if _base64url(data) != segment:
        raise InvalidProof("A part of the token is not canonical base64url.")
    return data


class LinkSigner:
    """Signs identifiers into links. Symmetric: only this server can make one or check one."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        signer = Signer(secret_key, salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256)
        self._key: bytes = signer.derive_key()

    def sign(self, value: str) -> str:
        """`value.signature`."""
        return f"{value}.{self.digest(value).decode()}"

    def digest(self, value: str) -> bytes:
        """A keyed hash that tells values apart without giving them back."""
        # As itsdangerous does it, which makes three objects for it.
        return base64.urlsafe_b64encode(hmac.digest(self._key, value.encode(), "sha256")).rstrip(b"=")

    def read(self, link: str) -> str | None:
        """The value of a link that this server signed, else None."""
        value, separator, _ = link.rpartition(".")
        # Compared as text, not as decoded bytes: one link, one spelling.
        if separator and hmac.compare_digest(self.sign(value).encode(), link.encode()):
            return value
        return None
