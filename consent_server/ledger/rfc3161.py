"""RFC 3161: what a timestamp authority is asked, and whether its answer holds."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.verify import SHA256_OID

from consent_server.core.errors import InvalidProof

# Context tag 0 of SignedData (RFC 5652 section 5.1).
CERTIFICATES = 0xA0
QUERY_TYPE, REPLY_TYPE = "application/timestamp-query", "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class Query:
    """A request in DER: it asks for the authority's certificate, and its answer must repeat the nonce."""

    der: bytes
    digest: bytes
    nonce: int | None


def query(content: bytes) -> Query:
    """Ask about the SHA-256 of some bytes; the bytes themselves stay here."""
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    return Query(request.as_bytes(), sha256(content).digest(), request.nonce)


def stamped_at(reply: bytes, digest: bytes, roots: bytes, nonce: int | None = None) -> datetime:
    """When an authority under one of these roots (PEM) saw a SHA-256. Raises InvalidProof, with the reason.

    Certificates must have been valid then, not now: a timestamp outlives them.
    """
    try:
        answer = decode_timestamp_response(_sorted(reply))
        _require_granted(answer)
        _require_sha256(answer)
        anchors = list(dict.fromkeys(load_pem_x509_certificates(roots)))
        VerifierBuilder(roots=anchors, nonce=nonce).build().verify(answer, digest)
        return answer.tst_info.gen_time
    except VerificationError as error:
        raise InvalidProof(f"the timestamp is not valid: {error}") from error
    except ValueError as error:
        raise InvalidProof(f"this is not an RFC 3161 answer: {error}") from error


def _sorted(reply: bytes) -> bytes:
    """The answer with its certificates in DER's order of a set.

    The parser demands it. Many authorities send them in the order of the chain, which CMS allows: no signature
    covers that list (RFC 5652 section 5.1).
    """
    try:
        first, end = 0, len(reply)
        # TimeStampResp, its token, the content of that, SignedData, certificates.
        for position in (0, 1, 1, 0, 3):
            head, first, end = _values(reply, first, end)[position]
        if reply[head] != CERTIFICATES:
            return reply
        certificates = sorted(reply[head:end] for head, _, end in _values(reply, first, end))
        return reply[:first] + b"".join(certificates) + reply[end:]
    except IndexError:
        # The parser says what is wrong.
        return reply


def _values(der: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    """Where each value of a span begins, where its content begins, and where it ends."""
    values = []
    while at < end:
        width = der[at + 1] & 0x7F if der[at + 1] > 0x7F else 0
        first = at + 2 + width
        length = int.from_bytes(der[at + 2 : first]) if width else der[at + 1]
        values.append((at, first, first + length))
        at = first + length
    return values


def _require_granted(answer: TimeStampResponse) -> None:
    if answer.status != PKIStatus.GRANTED:
        reason = " ".join(answer.status_string) or "no reason given"
        raise InvalidProof(f"the authority grants no timestamp: status {answer.status}, {reason}")


def _require_sha256(answer: TimeStampResponse) -> None:
    # Other hashes have 32 bytes too.
    algorithm = answer.tst_info.message_imprint.hash_algorithm.dotted_string
    if algorithm != SHA256_OID:
        raise InvalidProof(f"the timestamp is over a hash other than SHA-256: {algorithm}")
