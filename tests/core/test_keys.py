"""Keys and signatures: what is ours verifies, and nothing else does."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from itsdangerous import Signer
from joserfc import jws
from joserfc.jwk import OKPKey

from consent_server.core.errors import InvalidProof, InvalidSettings, KeysNotOurs
from consent_server.core.keys import KeyRing, KeySource, LinkSigner, verify_jws
from tests.support import jose
from tests.support.factories import START, settings_for

VECTORS = json.loads((Path(__file__).parents[1] / "data/test-vectors.json").read_text("utf-8"))["jws_ed25519"]
PRIVATE: dict[str, Any] = VECTORS["jwk_private"]
KID: str = VECTORS["jwk_thumbprint_sha256"]
TYPE = "consent-receipt+jwt"
RING = KeyRing.from_jwks(json.dumps({"keys": [PRIVATE]}))
CLAIMS = {"jti": "1", "grants": {"analytics": True}, "name": "Zoë"}
TOKEN = RING.sign(CLAIMS, TYPE)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def refused(token: str, ring: KeyRing = RING) -> None:
    with pytest.raises(InvalidProof):
        verify_jws(token, TYPE, ring)


def forged(header: dict[str, Any], payload: bytes | None = None) -> str:
    """A token that the private key really signed."""
    return jose.sign(json.dumps(header).encode(), payload or json.dumps(CLAIMS).encode(), PRIVATE)


HEADER = {"alg": "EdDSA", "typ": TYPE, "kid": KID}


def test_the_vector_of_rfc_8037() -> None:
    assert RING.kid == KID
    assert jose.verifies(VECTORS["compact_alg_EdDSA"], PRIVATE)
    made = jose.sign(b'{"alg":"EdDSA"}', VECTORS["payload_utf8"].encode(), PRIVATE)
    assert made == VECTORS["compact_alg_EdDSA"]
    # Ours says a type and a key in its header; the same key signs the same way.
    head, payload, signature = RING.sign({"a": 1}, TYPE).split(".")
    assert jose.sign(jose.decode(head), jose.decode(payload), PRIVATE) == f"{head}.{payload}.{signature}"
    refused(VECTORS["compact_alg_EdDSA"])


def test_what_we_sign_verifies_here_and_elsewhere() -> None:
    assert verify_jws(TOKEN, TYPE, RING) == CLAIMS
    assert jose.verifies(TOKEN, PRIVATE)
    assert jose.header(TOKEN) == HEADER
    assert verify_jws(forged(HEADER), TYPE, RING) == CLAIMS


@pytest.mark.parametrize("claims", [CLAIMS, {}, {"a": [1, 2.5, None, True], "ü": "\u2028\U0001f600"}])
@pytest.mark.parametrize("token_type", [TYPE, "consent-state+jwt"])
def test_a_token_is_signed_as_joserfc_signs_it(claims: dict[str, Any], token_type: str) -> None:
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    header = {"alg": "EdDSA", "typ": token_type, "kid": KID}
    key = OKPKey.import_key(PRIVATE)
    assert RING.sign(claims, token_type) == jws.serialize_compact(header, payload, key, algorithms=["EdDSA"])


def test_every_flipped_character_is_seen() -> None:
    for position, character in enumerate(TOKEN):
        bit = ALPHABET.find(character)
        # The neighbour differs in the lowest bit: the one that a careless decoder throws away.
        for other in {ALPHABET[bit ^ 1], ALPHABET[(bit + 7) % 64], "=", ".", "é"} - {character}:
            refused(TOKEN[:position] + other + TOKEN[position + 1 :])


def test_every_value_of_a_byte_is_seen() -> None:
    for position in range(0, len(TOKEN), 17):
        for value in range(256):
            if chr(value) != TOKEN[position]:
                refused(TOKEN[:position] + chr(value) + TOKEN[position + 1 :])


def test_every_cut_and_every_addition_is_seen() -> None:
    for length in range(len(TOKEN)):
        refused(TOKEN[:length])
    for addition in ("A", "=", "==", ".", "\n", " ", "\x00"):
        refused(TOKEN + addition)
        refused(addition + TOKEN)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "Ed25519", "ES256", "eddsa", None, 1, []])
def test_the_token_does_not_choose_how_it_is_checked(algorithm: Any) -> None:
    refused(forged({**HEADER, "alg": algorithm}))
    head = jose.encode(json.dumps({**HEADER, "alg": algorithm}).encode())
    refused(f"{head}.{TOKEN.split('.')[1]}.")


@pytest.mark.parametrize("form", ["raw", "x", "pem", "jwk"])
def test_the_public_key_is_no_secret_for_hs256(form: str) -> None:
    public = RING.public_jwks()["keys"][0]
    pem = jose.public_key(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = {
        "raw": jose.decode(public["x"]), "x": public["x"].encode(), "pem": pem, "jwk": json.dumps(public).encode(),
    }[form]  # fmt: skip
    for algorithm in ("HS256", "EdDSA"):
        signed = f"{jose.encode(json.dumps({**HEADER, 'alg': algorithm}).encode())}.{TOKEN.split('.')[1]}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        refused(f"{signed}.{jose.encode(mac)}")


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "kid": "unknown"}, {**HEADER, "kid": None}, {**HEADER, "kid": [KID]}, {**HEADER, "typ": "JWT"},
        {**HEADER, "typ": "consent-state+jwt"}, {**HEADER, "jwk": {}}, {**HEADER, "crit": ["b64"], "b64": False},
        {**HEADER, "zip": "DEF"}, {"alg": "EdDSA", "typ": TYPE}, {"alg": "EdDSA", "kid": KID}, {},
    ],
)  # fmt: skip
def test_a_header_of_another_form(header: dict[str, Any]) -> None:
    refused(forged(header))


def test_an_unknown_key_is_no_key() -> None:
    refused(TOKEN, KeyRing.from_jwks(json.dumps({"keys": [PRIVATE | _other()]})))


@pytest.mark.parametrize(
    "payload", [b'{"jti":"1","jti":"2"}', b'{"grants":{"a":false,"a":true}}', b"[]", b'"x"', b"1", b"{", b"{} {}",
                b'{"a":NaN}']
)  # fmt: skip
def test_a_payload_of_another_form(payload: bytes) -> None:
    refused(forged(HEADER, payload))


def test_a_header_with_a_repeated_key() -> None:
    text = json.dumps(HEADER)[:-1] + ', "alg": "EdDSA"}'
    refused(jose.sign(text.encode(), json.dumps(CLAIMS).encode(), PRIVATE))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"keys": {}}', '{"keys": []}', '{"keys": [{}]}', '{"keys": [null]}', '{"keys": "x"}', "null",
     '{"keys": [{"kty": "oct", "k": "AAAA"}]}', '{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}',
     '{"keys": [{"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
     '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}', '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 1}]}'],
)  # fmt: skip
def test_what_is_no_set_of_keys(text: str) -> None:
    with pytest.raises(InvalidProof):
        KeyRing.from_jwks(text)


def test_published_keys_have_no_private_part_and_are_read_back() -> None:
    (key,) = RING.public_jwks()["keys"]
    assert "d" not in key
    assert (key["kid"], key["alg"]) == (KID, "EdDSA")
    assert verify_jws(TOKEN, TYPE, KeyRing.from_jwks(json.dumps(RING.public_jwks()))) == CLAIMS


def test_a_key_is_made_once_and_rotated(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "sqlite://")
    source, running = KeySource(settings), KeySource(settings)
    first = source.ring.kid
    assert running.ring.kid == first
    assert settings.signing_keys_file.stat().st_mode & 0o777 == 0o600
    dated = CLAIMS | {"iat": int(START.timestamp())}
    token = running.ring.sign(dated, TYPE)
    kids = [first] + [source.rotate(START) for _ in range(3)]
    assert running.ring.kid == kids[-1]
    assert [key["kid"] for key in running.ring.public_jwks()["keys"]] == kids
    assert verify_jws(token, TYPE, running.ring) == dated
    assert jose.header(running.ring.sign(CLAIMS, TYPE))["kid"] == kids[-1]
    stored = json.loads(settings.signing_keys_file.read_text())["keys"]
    assert ["d" in key for key in stored] == [False, False, False, True]
    assert [path.name for path in tmp_path.iterdir()].count("signing-keys.json") == 1


def test_keys_of_the_environment_are_not_rotated_from_here(tmp_path: Path) -> None:
    source = KeySource(settings_for(tmp_path, "sqlite://", signing_keys=json.dumps({"keys": [PRIVATE]})))
    assert source.ring.kid == KID
    with pytest.raises(KeysNotOurs):
        source.rotate(START)
    with pytest.raises(KeysNotOurs):
        source.revoke(KID, START)
    assert list(tmp_path.iterdir()) == []


def test_public_keys_alone_cannot_run_a_server(tmp_path: Path) -> None:
    # Said at the start: otherwise each visitor's decision would fail.
    with pytest.raises(InvalidSettings, match="CONSENT_SIGNING_KEYS"):
        KeySource(settings_for(tmp_path, "sqlite://", signing_keys=json.dumps(RING.public_jwks())))


def test_links_are_for_their_purpose_and_their_secret() -> None:
    signer = LinkSigner("s" * 32, "receipt-link")
    link = signer.sign("abc")
    assert signer.read(link) == "abc"
    assert LinkSigner("s" * 32, "sign-in").read(link) is None
    assert LinkSigner("t" * 32, "receipt-link").read(link) is None
    for wrong in (link[:-1], link + "=", "abc", "", ".", "abd" + link[3:], link.upper(), "é.é", link + "\n"):
        assert signer.read(wrong) is None


def _other() -> dict[str, str]:
    return {
        "d": "6zbKZyEcEWhgg_wsAOZDlI31LKmeKbmzqHPYp9hPxH0",
        "x": jose.encode(_public_of("6zbKZyEcEWhgg_wsAOZDlI31LKmeKbmzqHPYp9hPxH0")),
    }


def _public_of(private: str) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(jose.decode(private))
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def test_a_link_is_signed_as_itsdangerous_signs_it_by_salt_and_secret() -> None:
    by_salt = Signer("s" * 40, salt="receipt-link", key_derivation="hmac", digest_method=hashlib.sha256)
    ours = LinkSigner("s" * 40, "receipt-link")
    assert ours.sign("1") == by_salt.sign("1").decode()
    assert ours.digest("ü") == by_salt.get_signature("ü")
