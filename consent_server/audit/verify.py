#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks an evidence pack of a consent ledger. Needs Python 3.8 or newer and nothing else; reads, never writes.

    python3 verify.py [PACK.zip | FOLDER] [--keys JWKS] [--checkpoint NOTE]... [--proof JSON]... [--witness VKEY]...

Without a pack it checks the folder that it lies in. Whoever holds the ledger's signing key could make a whole new
ledger, with this script's blessing. What rules that out comes from outside the pack: a checkpoint that you kept
(--checkpoint), keys that you know (--keys), a witness that you trust (--witness).
The rules are those of docs/formats/evidence.md; section numbers below are of RFC 8032 (Ed25519) and RFC 9162 (trees).
"""

from __future__ import annotations

import argparse
import base64
import calendar
import collections
import contextlib
import functools
import hashlib
import itertools
import json
import multiprocessing
import os
import re
import secrets
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # Subscripted when Python 3.8 could not.
    Point = tuple[int, int, int, int]
    Signature = tuple[bytes, bytes, bytes]  # public key, message, signature
    Fault = tuple[str, str, str]  # check, place, reason
    Names = dict[tuple[str, bytes], "Key"]  # keys of the ledger by the name and id that they have in notes

# Seconds by which a record's time may miss those of the checkpoints around it: what may pass between signing
# and sealing, and between the clocks of two machines. Nobody gains by moving a decision a quarter of an hour.
TOLERANCE = 900
# Seconds by which the end of a key may be missed: somebody may be signing while it is replaced.
LEEWAY = 60
LINES_AT_ONCE = 1000
LONGEST_LINE = 1 << 20
LARGEST_FILE = 1 << 26
PRINTED = 20

CHECKS = {
    "files": "each file is the one that the manifest names, none is missing, none was added",
    "manifest": "the ledger's operator signed the manifest",
    "keys": "the keys are Ed25519, each under its own id, and signed nothing after their end",
    "checkpoints": "each is signed by the ledger, longer and not earlier than the one before",
    "records": "each line has its form, its leaf follows the one before without a gap",
    "signatures": "a key of the ledger signed each receipt and each removal",
    "leaves": "salt and receipt make the leaf that the ledger holds",
    "inclusion": "each leaf stands at its place in the newest checkpoint",
    "history": "the leaves lead to the root of every checkpoint among them",
    "times": f"each record is dated between the checkpoints around it (give or take {TOLERANCE} s), none runs back",
    "unique": "no receipt and no decision is there twice",
    "notices": "the notice of each receipt is here, whole, and was published before it",
    "widgets": "the code that showed each notice is here, whole",
    "shown": "what that code was served with, and its pictures, are of these notices, dated and whole",
    "removals": "a signed entry names each removed record, and what it names is gone",
    "remarks": "what the ledger says of itself is signed and stands in it",
    "timestamps": "each RFC 3161 answer is about what it is said to stamp, at a time that fits; not who signed it",
    "kept": "the checkpoints that you kept are of this same history",
    "witnesses": "the cosignatures of the witnesses that you named",
}


class Wrong(Exception):
    """Something does not prove what it claims; the text says why."""


# --- Ed25519 ---

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
D2 = 2 * D % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    """5.1.4, in extended coordinates; holds for equal points too."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = D2 * p[3] % P * q[3] % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def decode_point(data: bytes) -> Point:
    """5.1.3"""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * SQRT_M1 % P
    if len(data) != 32 or y >= P or (v * x * x - u) % P or (sign and not x):
        raise Wrong("this is not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def combine(terms: Sequence[tuple[int, Point]]) -> Point:
    """The sum of all multiples, a few bits of every factor at a time (Pippenger's buckets)."""
    bits = max(1, len(terms).bit_length() - 3)
    total = NEUTRAL
    for shift in range(256 // bits * bits, -1, -bits):
        for _ in range(bits):
            total = add(total, total)
        buckets: dict[int, Point] = {}
        for factor, point in terms:
            digit = factor >> shift & (1 << bits) - 1
            if digit:
                buckets[digit] = add(buckets[digit], point) if digit in buckets else point
        running = NEUTRAL
        for digit in range(max(buckets, default=0), 0, -1):
            running = add(running, buckets[digit]) if digit in buckets else running
            total = add(total, running)
    return total


def is_neutral(point: Point) -> bool:
    """Whether eight times the point is nothing: the equation of 5.1.7 is one times eight."""
    for _ in range(3):
        point = add(point, point)
    return point[0] == 0 and point[1] == point[2]


decode_key = functools.lru_cache(64)(decode_point)


def genuine(signatures: Sequence[Signature]) -> bool:
    """5.1.7 for all at once (8.2): each equation times a number that no forger could foresee, then their sum."""
    base, terms = 0, []
    keys: dict[Point, int] = {}
    for public, message, signature in signatures:
        commitment, s = signature[:32], int.from_bytes(signature[32:], "little")
        if len(signature) != 64 or s >= L:
            return False
        try:
            point, key = decode_point(commitment), decode_key(public)
        except Wrong:
            return False
        k = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little")
        blind = secrets.randbits(128) | 1
        base += blind * s
        keys[key] = keys.get(key, 0) + blind * k
        terms.append((blind, point))
    terms += [(factor % L, key) for key, factor in keys.items()]
    return is_neutral(combine([*terms, (-base % L, BASE)]))


def forged(signatures: Sequence[Signature], first: int = 0) -> list[int]:
    """Positions of the signatures that do not hold."""
    if genuine(signatures):
        return []
    if len(signatures) == 1:
        return [first]
    half = len(signatures) // 2
    return forged(signatures[:half], first) + forged(signatures[half:], first + half)


# --- Strict forms: one spelling of everything ---


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Wrong("a key is repeated")
    return found


def refuse(word: str) -> None:
    raise Wrong(f"{word} is not JSON")


# Made once: a decoder is a circle of references, which a line for each leaf would leave behind.
JSON = json.JSONDecoder(object_pairs_hook=unique, parse_constant=refuse)


def strict_json(data: bytes | str) -> Any:
    try:
        return JSON.decode(data if isinstance(data, str) else data.decode())
    except (ValueError, RecursionError):
        raise Wrong("this is not JSON") from None


def unbase64(text: str, url: bool = False) -> bytes:
    data = again = b""
    try:
        padding = "=" * (-len(text) % 4) if url else ""
        data = base64.b64decode(text + padding, b"-_" if url else None, validate=True)
        again = base64.urlsafe_b64encode(data).rstrip(b"=") if url else base64.b64encode(data)
    except ValueError:
        pass
    if not data or again.decode() != text:
        raise Wrong("this is not canonical base64")
    return data


def unhex(text: Any) -> bytes:
    if not isinstance(text, str) or not re.fullmatch("[0-9a-f]{64}", text):
        raise Wrong("a hash or salt has 64 lower-case hex digits")
    return bytes.fromhex(text)


def number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise Wrong(f"{value!r:.40} is not a whole number")
    return value


def seconds(text: Any) -> float:
    """Unix time of `2026-11-23T17:00:00.000Z`."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text, re.ASCII):
        raise Wrong(f"{text!r:.40} is not a time")
    try:
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + int(text[20:23]) / 1000
    except ValueError:
        raise Wrong(f"{text!r} is not a time") from None


def spoken(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


class Key(NamedTuple):
    """A public key, since when it signs no more, and whether others may have it."""

    public: bytes
    end: float = float("inf")
    revoked: bool = False

    def in_use(self, at: float) -> bool:
        return at <= self.end + LEEWAY


def open_jws(token: Any, types: Sequence[str], keys: dict[str, Key]) -> tuple[dict[str, Any], Signature]:
    """Type and claims of a compact JWS, and the signature that is still to be checked."""
    parts = token.split(".") if isinstance(token, str) and token.isascii() else []
    if len(parts) != 3:
        raise Wrong("a compact JWS has three parts")
    header, claims = (strict_json(unbase64(part, url=True)) for part in parts[:2])
    if not isinstance(header, dict) or header.keys() != {"alg", "typ", "kid"} or header["alg"] != "EdDSA":
        raise Wrong("its header must say alg EdDSA, typ and kid, and nothing else")
    if header["typ"] not in types:
        raise Wrong(f"its type is {header['typ']!r:.40}, expected {' or '.join(types)}")
    if str(header["kid"]) not in keys:
        raise Wrong(f"it is signed by a foreign key, {header['kid']!r:.60}, which is not in keys.json")
    if not isinstance(claims, dict):
        raise Wrong("its payload is not a JSON object")
    key = keys[header["kid"]]
    if not key.in_use(number(claims.get("iat"))):
        raise Wrong(f"it is dated after its key was retired on {spoken(key.end)}")
    message = token.rpartition(".")[0].encode()
    return {**claims, "typ": header["typ"]}, (key.public, message, unbase64(parts[2], url=True))


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    text: str
    lines: tuple[tuple[str, bytes, bytes], ...]  # key name, key id, signature

    def own_bytes(self, names: Names) -> bytes:
        """The note as the ledger signed it, without the lines that witnesses added: what is timestamped."""
        lines = [(one[0], base64.b64encode(one[1] + one[2]).decode()) for one in self.lines if one[:2] in names]
        return (self.text + "\n" + "".join(f"\u2014 {name} {value}\n" for name, value in lines)).encode()

    def signatures(self, names: Names, at: float = 0) -> list[Signature]:
        """The signatures of the ledger's keys in use at a time that are still to be checked."""
        known = [(names[line[:2]], line[2]) for line in self.lines if line[:2] in names]
        if not known:
            raise Wrong("no key of the ledger signed it")
        used = [(key.public, self.text.encode(), signature) for key, signature in known if key.in_use(at)]
        if not used:
            raise Wrong("it was sealed after the key that signed it was retired")
        return used


def open_checkpoint(note: Any) -> Checkpoint:
    """A C2SP checkpoint, unverified."""
    if not isinstance(note, str) or re.search("[\x00-\x09\x0b-\x1f]", note):
        raise Wrong("this is not a signed note")
    text, _, tail = note.rpartition("\n\n")
    match = re.fullmatch("([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)((?:\n[^\n]+)*)", text)
    lines = [re.fullmatch("\u2014 ([^ +\n]+) ([^ \n]+)", line) for line in tail[:-1].split("\n")]
    if not match or not tail.endswith("\n") or not all(lines):
        raise Wrong("this is not a signed checkpoint")
    root = unbase64(match[3])
    values = [(line[1], unbase64(line[2])) for line in lines if line]
    if len(root) != 32:
        raise Wrong("a root has 32 bytes")
    return Checkpoint(
        match[1], int(match[2]), root, text + "\n", tuple((name, value[:4], value[4:]) for name, value in values)
    )


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


# --- Timestamps (RFC 3161): what is stamped and when, out of the DER; not the authority's signature ---

SIGNED_DATA, TST_INFO = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04"
SHA_256 = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01"
INTEGER, OCTETS, OID, TIME, SEQUENCE, TAG_0 = 0x02, 0x04, 0x06, 0x18, 0x30, 0xA0


def read_der(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of the values that stand here one after the other."""
    values, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length > 0x7F:
            width = length & 0x7F
            length, at = int.from_bytes(data[at : at + width], "big"), at + width
            if not width:
                raise Wrong("it is not DER")
        if at + length > len(data):
            raise Wrong("it is cut short")
        values.append((tag, data[at : at + length]))
        at += length
    return values


def take_der(values: list[tuple[int, bytes]], position: int, tag: int) -> bytes:
    if position >= len(values) or values[position][0] != tag:
        raise Wrong("it does not have the form of an RFC 3161 answer")
    return values[position][1]


def parts(values: list[tuple[int, bytes]], position: int, tag: int = SEQUENCE) -> list[tuple[int, bytes]]:
    return read_der(take_der(values, position, tag))


def read_timestamp(reply: bytes) -> tuple[bytes, float]:
    """The SHA-256 that a TimeStampResp is about, and the Unix time in it. Nobody's signature is checked."""
    try:
        response = parts(read_der(reply), 0)
        if take_der(parts(response, 0), 0, INTEGER) not in (b"\x00", b"\x01"):
            raise Wrong("the authority granted no timestamp")
        token = parts(response, 1)
        content = parts(parts(parts(token, 1, TAG_0), 0), 2)
        if (take_der(token, 0, OID), take_der(content, 0, OID)) != (SIGNED_DATA, TST_INFO):
            raise Wrong("it does not hold a timestamp")
        info = parts(read_der(take_der(parts(content, 1, TAG_0), 0, OCTETS)), 0)
        imprint = parts(info, 2)
        if take_der(parts(imprint, 0), 0, OID) != SHA_256:
            raise Wrong("it is over another hash than SHA-256")
        return take_der(imprint, 1, OCTETS), read_time(take_der(info, 4, TIME))
    except IndexError:
        raise Wrong("it is cut short") from None


def read_time(text: bytes) -> float:
    """RFC 3161 2.4.2: GeneralizedTime in UTC, with seconds, perhaps with a fraction."""
    match = re.fullmatch(rb"(\d{14})(\.\d*[1-9])?Z", text)
    try:
        whole = calendar.timegm(time.strptime(match[1].decode(), "%Y%m%d%H%M%S")) if match else None
    except ValueError:
        whole = None
    if match is None or whole is None:
        raise Wrong("its time cannot be read")
    return whole + float(match[2] or 0)


# --- The tree ---


def leaf_hash(salt: bytes, receipt: str) -> bytes:
    return hashlib.sha256(b"\x00" + hashlib.sha256(salt + receipt.encode()).digest()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def climb(node: int, last: int, start: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes, list[bytes]]:
    """2.1.3.2 and 2.1.4.2: roots of the trees that end at `node` and at `last`, and what lies left of `node`."""
    old, new, left = start, start, []
    for sibling in path:
        if not last:
            raise Wrong("the proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            left.append(sibling)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong("the proof is too short")
    return old, new, left


def consistent(old_size: int, size: int, path: list[bytes], old_root: bytes, root: bytes) -> bool:
    """2.1.4.2"""
    if not 0 < old_size < size:
        return old_size == size and not path and old_root == root
    path = path if old_size & (old_size - 1) else [old_root, *path]
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    return bool(path) and climb(node, last, path[0], path[1:])[:2] == (old_root, root)


class Leaves:
    """A growing tree, kept as its whole subtrees, the largest first."""

    def __init__(self, size: int, peaks: list[bytes]) -> None:
        self.size, self.peaks = size, peaks

    def push(self, leaf: bytes) -> None:
        self.size += 1
        self.peaks.append(leaf)
        size = self.size
        while not size & 1:
            right = self.peaks.pop()
            self.peaks.append(node_hash(self.peaks.pop(), right))
            size >>= 1

    def root(self) -> bytes:
        return functools.reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))


# --- One line of records.jsonl, for itself; these run on every core ---


class Facts(NamedTuple):
    """What each line is checked against."""

    file: str
    site: str
    ledgers: tuple[str, ...]
    keys: dict[str, Key]
    size: int
    root: bytes


class Line(NamedTuple):
    """What the checks across all lines need of one. `claims` are None unless their signature holds."""

    leaf_index: int
    leaf: bytes
    left: list[bytes]
    removed_by: int | None
    claims: dict[str, Any] | None


TYPES = ("consent-receipt+jwt", "consent-removal+jwt", "consent-remark+jwt")
REMARKS = ("clock-corrected", "restored", "not-genuine")
FIELDS = {"leaf_index", "leaf", "receipt", "salt", "hashes", "removed_by"}
KEPT_CLAIMS = ("typ", "iat", "jti", "decision_id", "notice", "widget", "rule", "count", "leaves")


def check_lines(facts: Facts, batch: tuple[int, list[bytes]]) -> tuple[list[Line], list[Fault]]:
    first, raw = batch
    lines: list[Line] = []
    faults: list[Fault] = []
    signatures: list[Signature] = []
    for position, data in enumerate(raw, first):
        try:
            lines.append(read_line(facts, data, signatures, faults))
        except Wrong as error:
            faults.append(("records", f"{facts.file} line {position}", str(error)))
    signed = [position for position, line in enumerate(lines) if line.claims is not None]
    for bad in forged(signatures) if signatures else []:
        line = lines[signed[bad]]
        lines[signed[bad]] = line._replace(claims=None)
        faults.append(
            ("signatures", place(facts, line.leaf_index), "the signature does not match the content: it was altered")
        )
    return lines, faults


def read_line(facts: Facts, data: bytes, signatures: list[Signature], faults: list[Fault]) -> Line:
    line = strict_json(data)
    if not isinstance(line, dict) or line.keys() != FIELDS or not isinstance(line["hashes"], list):
        raise Wrong(f"a line has the fields {', '.join(sorted(FIELDS))}")
    index, leaf, path = number(line["leaf_index"]), unhex(line["leaf"]), [unhex(value) for value in line["hashes"]]
    salt = None if line["salt"] is None else unhex(line["salt"])
    removed_by = None if line["removed_by"] is None else number(line["removed_by"])
    left: list[bytes] = []
    try:
        _, root, left = climb(index, facts.size - 1, leaf, path) if index < facts.size else (b"", b"", [])
        if root != facts.root:
            raise Wrong("its proof does not lead to the newest checkpoint: it was altered, moved or put in later")
    except Wrong as error:
        faults.append(("inclusion", place(facts, index), str(error)))
    if line["receipt"] is None:
        if salt is not None or removed_by is None or removed_by <= index:
            faults.append(("removals", place(facts, index), "the record is gone, and no removal entry is named for it"))
        return Line(index, leaf, left, removed_by, None)
    if removed_by is not None:
        faults.append(("removals", place(facts, index), "the record is still here, and is said to be removed"))
    claims = None
    try:
        claims, signature = open_jws(line["receipt"], TYPES, facts.keys)
        check_claims(facts, claims)
        signatures.append(signature)
    except Wrong as error:
        claims = None
        faults.append(("signatures", place(facts, index), str(error)))
    if salt is None or not str(line["receipt"]).isascii() or leaf_hash(salt, str(line["receipt"])) != leaf:
        faults.append(
            ("leaves", place(facts, index), "salt and receipt do not make this leaf: one of the three was altered")
        )
    return Line(index, leaf, left, None, claims and {name: claims.get(name) for name in KEPT_CLAIMS})


def check_claims(facts: Facts, claims: dict[str, Any]) -> None:
    if (claims.get("schema"), claims.get("site")) != ("1", facts.site) or claims.get("ledger") not in facts.ledgers:
        raise Wrong("it is of another schema, site or ledger")
    number(claims.get("iat"))
    receipt = claims["typ"] == TYPES[0]
    if not all(isinstance(claims.get(name), str) for name in (("jti", "decision_id") if receipt else ("jti",))):
        raise Wrong("it has no jti or no decision_id")
    if receipt:
        unhex(claims.get("notice")), unhex(claims.get("widget"))
        return
    ranges = claims.get("leaves")
    if not isinstance(ranges, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in ranges):
        raise Wrong("its leaves are not ranges")
    ends = [number(value) for pair in ranges for value in pair]
    ascending = all(low <= high for low, high in ranges) and all(
        ends[at] < ends[at + 1] for at in range(1, len(ends) - 1, 2)
    )
    if not ascending or claims.get("count") != sum(high - low + 1 for low, high in ranges):
        raise Wrong("its ranges are not ascending, or its count is not theirs")
    rules = ("erasure", "retention") if claims["typ"] == TYPES[1] else REMARKS
    if claims.get("rule") not in rules or not isinstance(claims.get("reason"), str):
        raise Wrong("it names no rule or no reason")
    if (claims["rule"] == "restored") != (not ends):
        raise Wrong("it names no leaves")
    if not ends:
        check_gap(claims)


def check_gap(claims: dict[str, Any]) -> None:
    gap = claims.get("gap")
    if not isinstance(gap, dict) or gap.keys() != {"ledger", "size", "root", "restored"}:
        raise Wrong("it does not say what was lost")
    unhex(gap["root"])
    if number(gap["restored"]) > number(gap["size"]) or gap["ledger"] not in names_of(claims["ledger"])[:-1]:
        raise Wrong("what it says was lost cannot be")


def names_of(ledger: str) -> tuple[str, ...]:
    """A ledger and those before it, each of which ended in a restore: of "…/ledger/shop/3" also "…/2" and "…/shop"."""
    match = re.fullmatch("(.*/ledger/[^/\n]+)/([1-9][0-9]{0,3})", ledger)
    return (match[1], *(f"{match[1]}/{at}" for at in range(2, int(match[2]) + 1))) if match else (ledger,)


def place(facts: Facts, index: int) -> str:
    return f"{facts.file} leaf {index}"


# --- The pack as files ---

NAMES = re.compile(
    r"README\.md|verify\.py|keys\.json|(records|removals|remarks|checkpoints|publications|configurations)\.jsonl"
    r"|(pictures|timestamps)\.jsonl|pictures/[0-9a-f]{64}\.png"
    r"|manifest\.(json|jws)|notices/[0-9a-f]{64}\.json|widget/[0-9a-f]{64}\.js|timestamps/[0-9a-f]{64}\.tsr"
)
CONFIGURATION = {"notice", "widget", "language", "served_at", "main", "preferences"}
# Code from before there was a third script was not called with it.
LATER = frozenset({"details"})
PICTURE = {"picture", "notice", "widget", "language", "width", "browser", "taken_at"}
# What a form that nobody foresaw runs into: such a pack does not hold either.
MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)
UNREADABLE = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Pack:
    """A zip, or the folder that it was unpacked into, where other files may lie about."""

    def __init__(self, path: str) -> None:
        self.folder = path if os.path.isdir(path) else None
        self.zip = None if self.folder else zipfile.ZipFile(path)
        if self.zip:
            require_row(path, self.zip)
        found = self.zip.namelist() if self.zip else [name for name in walk(path) if NAMES.fullmatch(name)]
        # How often each is there.
        self.names = collections.Counter(found)

    def open(self, name: str) -> IO[bytes]:
        if name not in self.names:
            raise Wrong("it is missing")
        return self.zip.open(name) if self.zip else open(os.path.join(str(self.folder), *name.split("/")), "rb")

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise Wrong(f"it is larger than {LARGEST_FILE} bytes")
        return data

    def lines(self, name: str) -> Iterator[bytes]:
        with self.open(name) as file:
            for line in iter(lambda: file.readline(LONGEST_LINE + 1), b""):
                if not line.endswith(b"\n"):
                    raise Wrong(f"a line is cut short, or longer than {LONGEST_LINE} bytes")
                yield line

    def weigh(self, name: str) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with self.open(name) as file:
            for block in iter(lambda: file.read(1 << 18), b""):
                digest.update(block)
                size += len(block)
        return digest.hexdigest(), size


def require_row(path: str, archive: zipfile.ZipFile) -> None:
    """A zip is its entries, one after the other from the first byte on, the directory and its end.

    With anything before, between or behind them another program could read another pack out of it, or run it.
    """
    at, behind = 0, [0]
    with open(path, "rb") as file:
        for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
            if entry.header_offset - at not in behind:
                raise Wrong(f"the zip has something else before {entry.filename}")
            file.seek(entry.header_offset)
            header = file.read(30)
            at = entry.header_offset + 30 + sum(struct.unpack("<HH", header[26:])) + entry.compress_size
            # Bit 3: its CRC and sizes follow it, with or without a mark.
            behind = [12, 16, 20, 24] if entry.flag_bits & 8 else [0]
        start, stop = directory(file)
    if start - at not in behind:
        raise Wrong("the zip has something else before its directory")
    if stop != os.path.getsize(path):
        raise Wrong("the zip has something behind its end")


def directory(file: IO[bytes]) -> tuple[int, int]:
    """Where a zip's directory begins, and where the file then has to end. At its very end stands where."""
    end_at = file.seek(0, os.SEEK_END) - 22
    file.seek(max(end_at - 20, 0))
    tail = file.read()
    mark, size, start, comment = struct.unpack("<4s8xLLH", tail[-22:])
    if mark != b"PK\x05\x06" or comment:
        raise Wrong("the zip has something behind its end")
    if tail[:4] != b"PK\x06\x07":
        return start, start + size + 22
    # A large one has a second end before this one, and where that stands between the two.
    (second_at,) = struct.unpack("<8xQ4x", tail[:20])
    file.seek(second_at)
    mark, length, size, start = struct.unpack("<4sQ28xQQ", file.read(56))
    if mark != b"PK\x06\x06" or length != 44 or second_at != start + size:
        raise Wrong("the zip's two ends differ")
    return start, second_at + 56 + 20 + 22


def walk(folder: str) -> Iterator[str]:
    for root, _, files in os.walk(folder):
        for name in files:
            yield os.path.relpath(os.path.join(root, name), folder).replace(os.sep, "/")


# --- The audit ---


class Sealed(NamedTuple):
    size: int
    root: bytes
    at: float


class Options(NamedTuple):
    """What the auditor brings along: names and texts of files, witnesses' keys."""

    keys: dict[str, Key] | None = None
    kept: Sequence[tuple[str, str]] = ()
    proofs: Sequence[Any] = ()
    witnesses: Sequence[str] = ()
    jobs: int = 1
    progress: Callable[[int], None] = lambda _: None


class Audit:
    """All checks of one pack. `faults` and `seen` are by name of the check."""

    def __init__(self, pack: Pack, options: Options) -> None:
        self.pack, self.options = pack, options
        self.faults: dict[str, list[tuple[str, str]]] = {}
        self.seen: dict[str, str] = {}
        # Whoever cosigned checkpoints, and whose key the auditor did not name.
        self.strangers: set[str] = set()
        self.manifest: dict[str, Any] = {}
        self.keys: dict[str, Key] = {}
        self.names: Names = {}
        # However many checkpoints there are, these alone are kept: the newest, and those of which another file or
        # the auditor asks, each with the SHA-256 of its note without witnesses' lines. The rest is read again.
        self.newest: Sealed | None = None
        self.asked: dict[int, tuple[Sealed, str] | None] = {}
        self.published: dict[str, float] = {}
        self.commands: list[str] = []
        self.tree: Leaves | None = None
        self.expected = self.latest = 0
        # The checkpoints around the leaf that is looked at, and the size of the last whose root was made.
        self.ahead: Iterator[Sealed] = iter(())
        self.before: Sealed | None = None
        self.after: Sealed | None = None
        self.judged = -1
        self.counts = dict.fromkeys(("receipts", "removals", "removed", "remarks"), 0)
        # What the ledger says of itself: claims by leaf, the leaves of a wrong clock, and what restores lost.
        self.remarks: dict[int, dict[str, Any]] = {}
        self.wrong_clock: list[tuple[int, int]] = []
        self.gaps: list[dict[str, Any]] = []
        self.ids: dict[bytes, int] = {}
        self.gone: dict[int, list[tuple[int, int]]] = {}
        self.named: dict[int, list[tuple[int, int]]] = {}

    def fail(self, check: str, where: str, reason: str) -> None:
        self.faults.setdefault(check, []).append((where, reason))

    def run(self) -> None:
        """Without manifest, keys or checkpoints there is nothing to check the rest against."""
        steps: list[tuple[str, str, Callable[[], None]]] = [
            ("manifest", "manifest.json", self.read_manifest),
            ("keys", "keys.json", self.read_keys),
            ("manifest", "manifest.jws", self.check_manifest),
            ("files", "manifest.json", self.check_files),
            ("remarks", "remarks.jsonl", self.read_remarks),
            ("checkpoints", "checkpoints.jsonl", self.read_checkpoints),
            ("notices", "publications.jsonl", self.read_publications),
            ("widgets", "widget", self.read_widgets),
            ("shown", "configurations.jsonl", self.read_configurations),
            ("shown", "pictures.jsonl", self.read_pictures),
            ("timestamps", "timestamps.jsonl", self.read_timestamps),
            ("kept", "checkpoint", self.read_kept),
            ("records", "records.jsonl", self.read_records),
            ("removals", "removals.jsonl", self.read_removals),
            ("remarks", "remarks.jsonl", self.check_remarks),
        ]
        for check, where, step in steps:
            try:
                step()
            except Wrong as error:
                self.fail(check, where, str(error))
                if where in ("manifest.json", "keys.json") or (check == "checkpoints" and not self.newest):
                    return
            except UNREADABLE as error:
                self.fail("files", where, f"cannot be read: {error}")
                return
            except MALFORMED as error:
                self.fail(check, where, f"it does not have its form: {error!r:.80}")
                return

    def read_manifest(self) -> None:
        manifest = strict_json(self.pack.read("manifest.json"))
        if not isinstance(manifest, dict) or manifest.get("schema") != "1":
            raise Wrong("this is not a manifest of schema 1")
        if not all(isinstance(manifest.get(name), str) for name in ("iss", "site", "ledger")):
            raise Wrong("it names no issuer, site or ledger")
        first, end, size = (number(manifest.get(name)) for name in ("first", "end", "tree_size"))
        if not first <= end <= size or (first == end < size):
            raise Wrong("its leaves are not a part of the tree")
        for name in ("generated_at", "from", "to"):
            if name == "generated_at" or manifest.get(name) is not None:
                seconds(manifest.get(name))
        files = manifest.get("files")
        if not isinstance(files, dict) or not all(NAMES.fullmatch(name) for name in files):
            raise Wrong("it names files that a pack does not have")
        self.manifest = manifest

    def read_keys(self) -> None:
        document = strict_json(self.pack.read("keys.json"))
        self.keys = {kid: newer(key, (self.options.keys or {}).get(kid)) for kid, key in read_jwks(document).items()}
        ledger = self.manifest["ledger"]
        self.names = {
            (name, key_id(name, b"\x01", key.public)): key for name in names_of(ledger) for key in self.keys.values()
        }
        ids = {one: b"\x01" + key.public for (name, one), key in self.names.items() if name == ledger}
        written = [f"{ledger}+{hint.hex()}+{base64.b64encode(key).decode()}" for hint, key in ids.items()]
        if document.get("ledger") != written:
            raise Wrong("the ledger's keys are not those of the key set")
        for kid in self.keys if self.options.keys is not None else ():
            if kid not in (self.options.keys or {}):
                self.fail("keys", "keys.json", f"{kid} is a foreign key: it is not among those that you know")
        known = "compare the ids below with those that you know" if self.options.keys is None else "all known to you"
        self.seen["keys"] = f"{len(self.keys)}, {known}"

    def check_manifest(self) -> None:
        token = self.pack.read("manifest.jws").decode("ascii", "replace")
        claims, signature = open_jws(token, ("consent-manifest+jwt",), self.keys)
        if forged([signature]):
            raise Wrong("the signature does not match the content")
        # All of a pack rests on this signature: also what a revoked key signed before others had it.
        if any(key.revoked for key in self.keys.values() if key.public == signature[0]):
            raise Wrong("its key is revoked: others may have made this pack. Ask for one that was made since")
        if claims.get("manifest") != self.pack.weigh("manifest.json")[0]:
            raise Wrong("manifest.json is not the file that was signed: it was altered")
        self.seen["manifest"] = f"signed at {spoken(number(claims.get('iat')))}"

    def check_files(self) -> None:
        listed = self.manifest["files"]
        for name in sorted(name for name, times in self.pack.names.items() if times > 1):
            self.fail("files", name, "it is in the zip twice")
        for name in sorted(set(self.pack.names) - set(listed) - {"manifest.json", "manifest.jws"}):
            self.fail("files", name, "the manifest does not name it: it was added")
        for name, entry in listed.items():
            if name not in self.pack.names:
                self.fail("files", name, "it is missing")
            elif entry != dict(zip(("sha256", "bytes"), self.pack.weigh(name))):  # noqa: B905  (3.10)
                self.fail("files", name, "its SHA-256 or its length is not that of the manifest: it was altered")
        self.seen["files"] = f"{len(listed)}"

    def read_remarks(self) -> None:
        """Those that a key of the ledger signed: times and names are read by them. Whether they stand in it: later."""
        if "remarks.jsonl" not in self.pack.names:
            return
        signatures: list[Signature] = []
        facts = Facts("remarks.jsonl", self.manifest["site"], names_of(self.manifest["ledger"]), self.keys, 0, b"")
        for data in self.pack.lines("remarks.jsonl"):
            line = strict_json(data)
            claims, signature = open_jws(line["receipt"], TYPES[2:], self.keys)
            check_claims(facts, claims)
            if claims["leaves"] and claims["leaves"][-1][1] >= number(line["leaf_index"]):
                raise Wrong(f"that of leaf {line['leaf_index']} names leaves that are younger than itself")
            signatures.append(signature)
            self.remarks[line["leaf_index"]] = claims
        if forged(signatures):
            self.remarks = {}
            raise Wrong("a signature does not match the content: it was altered")
        said = [claims for _, claims in sorted(self.remarks.items())]
        self.gaps = [claims["gap"] for claims in said if claims["rule"] == "restored"]
        for claims in said:
            if claims["rule"] == "clock-corrected":
                self.wrong_clock += [(low, high) for low, high in claims["leaves"]]

    def check_remarks(self) -> None:
        """Each stands in the ledger, and none that stands among the records was left out."""
        if not self.remarks:
            return
        lines, faults = check_lines(
            self.facts._replace(file="remarks.jsonl"), (1, list(self.pack.lines("remarks.jsonl")))
        )
        for _, where, reason in faults:
            self.fail("remarks", where, reason)
        if [line.leaf_index for line in lines] != sorted(self.remarks):
            raise Wrong("it is not in order")
        for index, claims in sorted(self.remarks.items()):
            if claims["rule"] == "restored" and claims["gap"]["restored"] > index:
                self.fail("remarks", f"remarks.jsonl leaf {index}", "it is about a restore that came after it")
        self.seen["remarks"] = "; ".join(remark_said(*each) for each in sorted(self.remarks.items()))

    def clock_was_wrong(self, index: int) -> bool:
        return any(low <= index <= high for low, high in self.wrong_clock)

    def name_at(self, size: int) -> str:
        """Under which name a checkpoint of so many leaves was signed."""
        names = (gap["ledger"] for gap in self.gaps if size <= gap["restored"])
        return str(next(names, self.manifest["ledger"]))

    def read_checkpoints(self) -> None:
        self.witnesses = dict(map(read_witness, self.options.witnesses))
        # How many each witness cosigned, and the newest: size and time.
        self.cosigned = {one: (0, 0, 0) for one in self.witnesses}
        first, end, size = (self.manifest[name] for name in ("first", "end", "tree_size"))
        self.asked = dict.fromkeys({first, end, size, *self.asked_sizes()})
        waiting: list[tuple[str, str, Signature]] = []
        count, beyond = 0, False
        for where, found in self.checkpoint_lines():
            try:
                if isinstance(found, Wrong):
                    raise found
                count, self.newest = count + 1, found[1]
                beyond |= not first <= self.newest.size <= end and self.newest.size != size
                waiting += self.take_checkpoint(where, *found)
            except Wrong as error:
                self.fail("checkpoints", where, str(error))
            if len(waiting) >= LINES_AT_ONCE:
                self.check_signatures(waiting)
                waiting = []
        self.check_signatures(waiting)
        if beyond:
            self.fail("checkpoints", "checkpoints.jsonl", "it has others than the manifest says")
        self.check_range()
        self.seen["checkpoints"] = f"{count}"
        if self.witnesses and not any(number for number, _, _ in self.cosigned.values()):
            self.fail("witnesses", "checkpoints.jsonl", "none of the witnesses that you named signed any of them")
        if self.witnesses:
            said = (f"{name} cosigned {of[0]} of {count}{last(of)}" for (name, _), of in self.cosigned.items())
            self.seen["witnesses"] = "; ".join(said)

    def take_checkpoint(
        self, where: str, checkpoint: Checkpoint, sealed: Sealed
    ) -> Iterator[tuple[str, str, Signature]]:
        """Its signatures that are still to be checked, each with its check and place."""
        if sealed.size in self.asked:
            self.asked[sealed.size] = sealed, hashlib.sha256(checkpoint.own_bytes(self.names)).hexdigest()
        # Of a wrong clock nobody knows which key was in use.
        at = 0 if self.clock_was_wrong(sealed.size - 1) else sealed.at
        yield from (("checkpoints", where, one) for one in checkpoint.signatures(self.names, at))
        known = self.witnesses.keys() | self.names.keys()
        self.strangers |= {one[0] for one in checkpoint.lines if one[:2] not in known}
        for who, one, stamp in cosignatures(checkpoint, self.witnesses):
            yield "witnesses", where, one
            self.cosigned[who] = (self.cosigned[who][0] + 1, sealed.size, stamp)
            if sealed.at > stamp + TOLERANCE and not self.clock_was_wrong(sealed.size - 1):
                self.fail("witnesses", where, "a witness saw it before it was sealed: it was dated later")

    def check_signatures(self, waiting: list[tuple[str, str, Signature]]) -> None:
        for bad in forged([one for _, _, one in waiting]) if waiting else []:
            self.fail(waiting[bad][0], waiting[bad][1], "a signature is wrong: the checkpoint was altered or forged")

    def checkpoint_lines(self) -> Iterator[tuple[str, tuple[Checkpoint, Sealed] | Wrong]]:
        """Each line with its place, or what is wrong with it. None is kept: there may be one for each leaf."""
        latest, reliable = None, 0.0
        for position, data in enumerate(self.pack.lines("checkpoints.jsonl"), 1):
            where = f"checkpoints.jsonl line {position}"
            try:
                checkpoint, sealed = self.read_checkpoint(data, latest)
            except Wrong as error:
                yield where, error
            else:
                reliable = reliable if self.clock_was_wrong(sealed.size - 1) else sealed.at
                latest = sealed._replace(at=reliable)
                yield where, (checkpoint, sealed)

    def read_checkpoint(self, data: bytes, latest: Sealed | None) -> tuple[Checkpoint, Sealed]:
        line = strict_json(data)
        if not isinstance(line, dict) or line.keys() != {"size", "sealed_at", "note"}:
            raise Wrong("a line has the fields size, sealed_at and note")
        checkpoint, at = open_checkpoint(line["note"]), seconds(line["sealed_at"])
        if (checkpoint.origin, checkpoint.size) != (self.name_at(checkpoint.size), line["size"]):
            raise Wrong("it is of another ledger or size than its line says")
        back = latest is not None and at < latest.at and not self.clock_was_wrong(checkpoint.size - 1)
        if latest and (checkpoint.size <= latest.size or back):
            raise Wrong("it is not longer than the one before, or earlier")
        return checkpoint, Sealed(checkpoint.size, checkpoint.root, at)

    def asked_sizes(self) -> Iterator[int]:
        """Sizes that timestamps, and what the auditor brings along, may be about. What is malformed is told there."""
        for data in self.pack.lines("timestamps.jsonl") if "timestamps.jsonl" in self.pack.names else ():
            with contextlib.suppress(Wrong, *MALFORMED):
                yield number(strict_json(data)["size"])
        for file, text in self.options.kept:
            for _, kept in kept_lines(file, text):
                with contextlib.suppress(Wrong):
                    yield open_checkpoint(kept_note(kept)).size
        for proof in self.options.proofs:
            yield proof["to"]

    def sealed(self, size: int) -> Sealed | None:
        """The checkpoint of a size that was asked for."""
        found = self.asked.get(size)
        return found[0] if found else None

    def check_range(self) -> None:
        """The pack begins and ends at checkpoints: only there is a time known, and the order of all else."""
        first, end, size = (self.manifest[name] for name in ("first", "end", "tree_size"))
        for needed in sorted({first, end, size} - {0}):
            if not self.sealed(needed):
                self.fail(
                    "checkpoints", "checkpoints.jsonl", f"the one of {needed} leaves is missing: the list was cut"
                )
        since, until = self.manifest.get("from"), self.manifest.get("to")
        start, stop = self.sealed(first), self.sealed(end)
        if first and since is not None and start and start.at > seconds(since):
            self.fail("checkpoints", "manifest.json", "the leaves begin later than the time that it says")
        if end < size and until is not None and (stop.at if stop else 0) < seconds(until):
            self.fail("checkpoints", "manifest.json", "the leaves end earlier than the time that it says")
        if self.newest and self.newest.at > seconds(self.manifest["generated_at"]) + TOLERANCE:
            self.fail("checkpoints", "checkpoints.jsonl", "the newest was sealed after the pack was made")
        if size and not self.newest:
            raise Wrong("there are none: nothing says what the ledger holds")

    def read_publications(self) -> None:
        whole = {name: self.check_notice(name) for name in self.pack.names if re.match(r"notices/.*\.json$", name)}
        latest = 0.0
        for position, data in enumerate(self.pack.lines("publications.jsonl"), 1):
            line = strict_json(data)
            if not isinstance(line, dict) or line.keys() != {"notice", "published_at"}:
                raise Wrong(f"line {position} is not a publication")
            at, _ = seconds(line["published_at"]), unhex(line["notice"])
            if at < latest - TOLERANCE:
                self.fail("notices", f"publications.jsonl line {position}", "it is dated before the one before it")
            latest = max(latest, at)
            name = f"notices/{line['notice']}.json"
            if name not in whole:
                self.fail("notices", name, "it is missing")
            elif whole[name]:
                self.published[line["notice"]] = min(at, self.published.get(line["notice"], at))
        self.seen["notices"] = f"{len(whole)}"

    def check_notice(self, name: str) -> bool:
        data = self.pack.read(name)
        try:
            if name != f"notices/{hashlib.sha256(data).hexdigest()}.json":
                raise Wrong("its content does not have the SHA-256 of its name: it was altered")
            if strict_json(data)["site"] != self.manifest["site"]:
                raise Wrong("it is another site's")
        except Wrong as error:
            self.fail("notices", name, str(error))
            return False
        return True

    def read_widgets(self) -> None:
        self.widgets = set()
        for name in self.pack.names:
            if name.startswith("widget/"):
                found = hashlib.sha256(self.pack.read(name)).hexdigest()
                self.widgets.add(found)
                if name != f"widget/{found}.js":
                    self.fail("widgets", name, "its content does not have the SHA-256 of its name: it was altered")
        self.seen["widgets"] = f"{len(self.widgets)}"

    def read_configurations(self) -> None:
        self.configurations, latest = 0, 0.0
        for where, line in self.dated("configurations.jsonl", CONFIGURATION, "served_at", LATER):
            self.configurations += 1
            for part in ("main", "preferences", *(line.keys() & LATER)):
                if not is_json(line[part]):
                    self.fail("shown", where, f"{part} is not the text of a JSON value")
            if seconds(line["served_at"]) < latest - TOLERANCE:
                self.fail("shown", where, "it is dated before the one before it")
            latest = max(latest, seconds(line["served_at"]))

    def read_pictures(self) -> None:
        unnamed = {name for name in self.pack.names if name.startswith("pictures/")}
        pictures = len(unnamed)
        for where, line in self.dated("pictures.jsonl", PICTURE, "taken_at"):
            name = f"pictures/{line['picture']}.png"
            unnamed.discard(name)
            if name not in self.pack.names:
                self.fail("shown", where, f"{name} is missing")
            elif hashlib.sha256(self.pack.read(name)).hexdigest() != line["picture"]:
                self.fail("shown", name, "its content does not have the SHA-256 of its name: it was altered")
        for name in sorted(unnamed):
            self.fail("shown", name, "pictures.jsonl does not name it")
        self.seen["shown"] = f"{self.configurations} configurations, {pictures} pictures"

    def dated(
        self, name: str, fields: set[str], at: str, optional: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The lines that have their form and are about a notice of this pack, each with its place."""
        for position, data in enumerate(self.pack.lines(name), 1):
            where = f"{name} line {position}"
            try:
                line = strict_json(data)
                if not isinstance(line, dict) or line.keys() - optional != fields:
                    raise Wrong(f"a line has the fields {', '.join(sorted(fields))}")
                for hashed in fields & {"picture", "notice", "widget"}:
                    unhex(line[hashed])
                if f"notices/{line['notice']}.json" not in self.pack.names:
                    raise Wrong("its notice is not here")
                if seconds(line[at]) > seconds(self.manifest["generated_at"]) + TOLERANCE:
                    raise Wrong("it is dated after the pack was made")
            except Wrong as error:
                self.fail("shown", where, str(error))
                continue
            if seconds(line[at]) < self.published.get(line["notice"], 0) - TOLERANCE:
                self.fail("shown", where, "it is dated before its notice was published")
            yield where, line

    def read_timestamps(self) -> None:
        unnamed = {name for name in self.pack.names if name.startswith("timestamps/")}
        latest: tuple[float, str] = (0, "")
        for position, data in enumerate(self.pack.lines("timestamps.jsonl"), 1):
            where = f"timestamps.jsonl line {position}"
            try:
                line = strict_json(data)
                if not isinstance(line, dict) or line.keys() != {"kind", "size", "digest", "stamped_at"}:
                    raise Wrong("a line has the fields kind, size, digest and stamped_at")
                where = f"timestamps/{unhex(line['digest']).hex()}.tsr"
                unnamed.discard(where)
                at, said = self.check_timestamp(line, self.pack.read(where))
                latest = max(latest, (at, said))
                self.commands.append(
                    f"openssl ts -verify -attime {int(at)} -digest {line['digest']} -in {where} -CAfile AUTHORITY.pem"
                )
            except Wrong as error:
                self.fail("timestamps", where, str(error))
        for name in sorted(unnamed):
            self.fail("timestamps", name, "timestamps.jsonl does not name it")
        if self.commands:
            self.seen["timestamps"] = f"{len(self.commands)}, the latest over {latest[1]} at {spoken(latest[0])}"

    def check_timestamp(self, line: dict[str, Any], reply: bytes) -> tuple[float, str]:
        """When the answer says that it was, and over what."""
        subject, digest, made_at = self.subject(line)
        imprint, at = read_timestamp(reply)
        if not line["digest"] == digest == imprint.hex():
            raise Wrong(f"it is a timestamp of something else than {subject}")
        if abs(at - seconds(line["stamped_at"])) >= 0.001:
            raise Wrong(f"the authority's time in it is {spoken(at)}, not the one that its line says")
        if made_at > at + TOLERANCE:
            raise Wrong(f"the authority saw {subject} on {spoken(at)}, before it was made: it was dated later")
        if at > seconds(self.manifest["generated_at"]) + TOLERANCE:
            raise Wrong(f"it is of {spoken(at)}, after the pack was made")
        return at, subject

    def subject(self, line: dict[str, Any]) -> tuple[str, str, float]:
        """What a line says is stamped: in words, its SHA-256, and since when it is said to be there."""
        kind, size, digest = line["kind"], line["size"], line["digest"]
        asked = self.asked.get(number(size)) if kind == "checkpoint" else None
        if asked:
            return f"the checkpoint of {size} leaves", asked[1], 0 if self.clock_was_wrong(size - 1) else asked[0].at
        if kind == "notice" and size is None and digest in self.published:
            return f"notices/{digest}.json", digest, self.published[digest]
        if kind == "widget" and size is None and digest in self.widgets:
            return f"widget/{digest}.js", digest, 0
        raise Wrong("what it is said to stamp is not in this pack")

    def read_kept(self) -> None:
        for file, text in self.options.kept:
            for where, kept in kept_lines(file, text):
                try:
                    self.check_kept(open_checkpoint(kept_note(kept)))
                except Wrong as error:
                    self.fail("kept", where, str(error))
            self.seen["kept"] = f"{len(self.options.kept)} files"

    def check_kept(self, kept: Checkpoint) -> None:
        if kept.origin not in names_of(self.manifest["ledger"]):
            raise Wrong(f"it is of another ledger, {kept.origin!r}")
        if forged(kept.signatures(self.names)):
            raise Wrong("its signature is wrong")
        gap = next((gap for gap in self.gaps if gap["ledger"] == kept.origin), None)
        if gap and kept.size > gap["restored"]:
            self.check_lost(kept, gap)
            return
        first, end, size = (self.manifest[name] for name in ("first", "end", "tree_size"))
        roots = {one: found[0].root for one, found in self.asked.items() if found}
        if kept.size > size:
            raise Wrong(
                f"it has {kept.size} leaves and this ledger only {size}: the end was cut off, or the pack is older"
            )
        if kept.size in roots:
            if roots[kept.size] != kept.root:
                raise Wrong(f"FORK: of {kept.size} leaves this ledger tells another history than the one you kept")
        elif first <= kept.size <= end:
            raise Wrong(f"the checkpoint of {kept.size} leaves is missing in checkpoints.jsonl: it was cut out")
        elif not any(
            proof["from"] == kept.size
            and proof["to"] in roots
            and consistent(
                kept.size, proof["to"], [unhex(one) for one in proof["hashes"]], kept.root, roots[proof["to"]]
            )
            for proof in self.options.proofs
        ):
            raise Wrong(
                f"its {kept.size} leaves lie outside this pack: fetch "
                f"https://{kept.origin}/consistency?from={kept.size}&to={size} and give it with --proof"
            )

    def check_lost(self, kept: Checkpoint, gap: dict[str, Any]) -> None:
        """One of what a restore lost: the entry about it must admit it."""
        if kept.size > gap["size"]:
            raise Wrong(f"it has {kept.size} leaves, and the entry about the restore admits only {gap['size']}")
        if kept.size == gap["size"] and kept.root.hex() != gap["root"]:
            raise Wrong("FORK: the entry about the restore names another root than the one you kept")

    def read_records(self) -> None:
        first, end, size = (self.manifest[name] for name in ("first", "end", "tree_size"))
        self.expected = first
        newest = self.newest.root if self.newest else b""
        self.facts = Facts(
            "records.jsonl", self.manifest["site"], names_of(self.manifest["ledger"]), self.keys, size, newest
        )
        self.ahead = (found[1] for _, found in self.checkpoint_lines() if not isinstance(found, Wrong))
        self.after = next(self.ahead, None)
        try:
            self.take_records(end)
        finally:
            # It holds a file of the pack open, and this audit.
            self.ahead = iter(())
        counts = "{receipts} receipts, {removals} removal entries, {removed} removed".format(**self.counts)
        counts += f", {self.counts['remarks']} remarks" if self.counts["remarks"] else ""
        self.seen.update(records=f"leaves {first} to {end - 1} of {self.manifest['tree_size']}: {counts}")
        self.seen.update(dict.fromkeys(("leaves", "inclusion", "history", "times", "unique", "signatures"), ""))

    def take_records(self, end: int) -> None:
        jobs = self.jobs(end - self.manifest["first"])
        for lines, faults in spread(functools.partial(check_lines, self.facts), self.batches(), jobs):
            for fault in faults:
                self.fail(*fault)
            for line in lines:
                self.take(line)
            self.options.progress(sum(self.counts.values()))
        if self.expected != end:
            self.fail("records", "records.jsonl", f"it ends at leaf {self.expected - 1}, the manifest at {end - 1}")
        self.advance(end)

    def batches(self) -> Iterator[tuple[int, list[bytes]]]:
        lines = self.pack.lines("records.jsonl")
        for first in itertools.count(1, LINES_AT_ONCE):
            batch = list(itertools.islice(lines, LINES_AT_ONCE))
            if not batch:
                return
            yield first, batch

    def jobs(self, count: int) -> int:
        return self.options.jobs if count > 4 * LINES_AT_ONCE else 1

    def take(self, line: Line) -> None:
        """One line in its turn. Whatever nobody signed is not looked at."""
        where = place(self.facts, line.leaf_index)
        if line.leaf_index != self.expected:
            reason = f"it stands where leaf {self.expected} belongs: a record is missing, was put in or was moved"
            self.fail("records", where, reason)
            self.tree = None
        elif line.leaf_index == self.manifest["first"] and len(line.left) == bin(line.leaf_index).count("1"):
            self.tree = Leaves(line.leaf_index, line.left[::-1])
            self.compare(self.tree)
        self.advance(line.leaf_index)
        self.expected = line.leaf_index + 1
        if self.tree:
            self.tree.push(line.leaf)
            self.compare(self.tree)
        if line.removed_by is not None:
            self.counts["removed"] += 1
            extend(self.gone.setdefault(line.removed_by, []), line.leaf_index)
        elif line.claims is not None:
            self.take_claims(where, line.leaf_index, line.claims)

    def compare(self, tree: Leaves) -> None:
        if self.after and self.after.size == tree.size:
            self.judged = tree.size
            if not tree.peaks or tree.root() != self.after.root:
                self.fail_history("the leaves do not lead to its root: the ledger is not the one that was signed")

    def fail_history(self, reason: str) -> None:
        if self.after:
            self.fail("history", f"checkpoints.jsonl size {self.after.size}", reason)

    def advance(self, index: int) -> None:
        """Let the checkpoint over this leaf be the next one. Those of no more leaves are behind, made or not."""
        first, end = self.manifest["first"], self.manifest["end"]
        while self.after and self.after.size <= index:
            if self.after.size > self.judged and first <= self.after.size <= end and first < end:
                self.fail_history(f"the {self.after.size} leaves before it are not whole, its root cannot be made")
            # What ends in a leaf of a wrong clock says nothing of the time.
            if not self.clock_was_wrong(self.after.size - 1):
                self.before = self.after
            self.after = next(self.ahead, None)

    def take_claims(self, where: str, index: int, claims: dict[str, Any]) -> None:
        in_time = not self.clock_was_wrong(index)
        if in_time:
            self.check_time(where, claims["iat"])
        for name in ("jti", "decision_id"):
            digest = hashlib.sha256((name + str(claims[name])).encode("utf-8", "replace")).digest()[:16]
            if claims[name] is not None and self.ids.setdefault(digest, index) != index:
                self.fail("unique", where, f"leaf {self.ids[digest]} has the same {name}")
        if claims["typ"] == TYPES[1]:
            self.counts["removals"] += 1
            self.named[index] = [(low, high) for low, high in claims["leaves"]]
            return
        if claims["typ"] == TYPES[2]:
            self.counts["remarks"] += 1
            if index not in self.remarks:
                self.fail("remarks", where, "remarks.jsonl does not have it: it was taken out")
            return
        self.counts["receipts"] += 1
        if claims["widget"] not in self.widgets:
            self.fail("widgets", where, f"the code that it names, widget/{claims['widget']}.js, is not here")
        if claims["notice"] not in self.published:
            self.fail("notices", where, f"the notice that it names, {claims['notice']}, is not here whole")
        elif in_time and self.published[claims["notice"]] > claims["iat"] + TOLERANCE:
            self.fail("notices", where, "it answers a notice that was not published yet: it was back-dated")

    def check_time(self, where: str, iat: int) -> None:
        said = f"it is dated {spoken(iat)}, "
        if self.after and iat > self.after.at + TOLERANCE and not self.clock_was_wrong(self.after.size - 1):
            self.fail("times", where, said + f"after the checkpoint over it of {spoken(self.after.at)}")
        if self.before and iat < self.before.at - TOLERANCE:
            reason = f"but joined the ledger after its checkpoint of {spoken(self.before.at)}: it was back-dated"
            self.fail("times", where, said + reason)
        elif iat < self.latest - TOLERANCE:
            self.fail("times", where, said + f"but follows a record of {spoken(self.latest)}: it was back-dated")
        self.latest = max(self.latest, iat)

    def read_removals(self) -> None:
        """Removals that are younger than the pack's records, then all removals against all that is gone."""
        facts = self.facts._replace(file="removals.jsonl")
        later, faults = check_lines(facts, (1, list(self.pack.lines(facts.file))))
        for fault in faults:
            self.fail(*fault)
        for line in later:
            if line.claims is None or line.claims["typ"] != TYPES[1] or line.leaf_index < self.manifest["end"]:
                self.fail(
                    "removals", place(facts, line.leaf_index), "it is not a signed removal after the pack's records"
                )
            else:
                self.named[line.leaf_index] = [(low, high) for low, high in line.claims["leaves"]]
        for index in sorted(self.gone.keys() | self.named.keys()):
            self.check_removal(index, self.gone.get(index, []))
        self.seen["removals"] = f"{len(self.named)} entries"

    def check_removal(self, index: int, gone: list[tuple[int, int]]) -> None:
        first, end = self.manifest["first"], self.manifest["end"]
        declared = self.named.get(index)
        if declared is None:
            for low, high in gone:
                reason = f"gone, and leaf {index}, which should say why, is no signed removal entry of this ledger"
                self.fail("removals", span(low, high), reason)
            return
        if declared[-1][1] >= index:
            self.fail("removals", place(self.facts, index), "it names leaves that are younger than itself")
        here = [(max(low, first), min(high, end - 1)) for low, high in declared if low < end and high >= first]
        for low, high in minus(gone, here):
            self.fail("removals", span(low, high), f"gone, but the removal entry of leaf {index} does not name it")
        for low, high in minus(here, gone):
            reason = f"the removal entry of leaf {index} says that it is gone; it is still here, or another took it"
            self.fail("removals", span(low, high), reason)


def remark_said(index: int, claims: dict[str, Any]) -> str:
    about = f"{claims['count']} leaves"
    if claims["rule"] == "restored":
        gap = claims["gap"]
        about = f"{gap['size'] - gap['restored']} leaves of {gap['ledger']} were lost"
    return f"leaf {index}, {claims['rule']}, {about}: {claims['reason']}"


def is_json(text: Any) -> bool:
    try:
        strict_json(text if isinstance(text, str) else "")
    except Wrong:
        return False
    return True


def kept_lines(file: str, text: str) -> Iterator[tuple[str, str]]:
    """What a file holds, each with its place: one note, or the lines of a feed."""
    if not text.lstrip().startswith("{"):
        yield file, text
        return
    for position, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"{file} line {position}", line


def kept_note(text: str) -> Any:
    return strict_json(text).get("note") if text.lstrip().startswith("{") else text


def newer(key: Key, known: Key | None) -> Key:
    """A key with what became of it since the pack was made, as far as the auditor knows."""
    return key._replace(end=min(key.end, known.end), revoked=key.revoked or known.revoked) if known else key


def read_jwks(document: Any) -> dict[str, Key]:
    """Public Ed25519 keys by their RFC 7638 thumbprint."""
    keys: dict[str, Key] = {}
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list) or not document["keys"]:
        raise Wrong("this is not a JWK Set")
    for key in document["keys"]:
        if not isinstance(key, dict) or (key.get("kty"), key.get("crv")) != ("OKP", "Ed25519") or "d" in key:
            raise Wrong("it holds something else than public Ed25519 keys")
        public = unbase64(str(key.get("x")), url=True)
        named = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": key["x"]}, separators=(",", ":"))
        kid = base64.urlsafe_b64encode(hashlib.sha256(named.encode()).digest()).rstrip(b"=").decode()
        if key.get("kid") != kid:
            raise Wrong(f"the key {key.get('kid')!r:.60} is not under its own id")
        # Of such a key anybody can make signatures.
        if is_neutral(decode_point(public)):
            raise Wrong(f"the key {kid} is worthless: it is of small order")
        keys[kid] = Key(public, number(key["exp"]) if "exp" in key else float("inf"), "revoked" in key)
    return keys


def read_witness(vkey: str) -> tuple[tuple[str, bytes], bytes]:
    name, _, rest = vkey.partition("+")
    hint, _, encoded = rest.partition("+")
    material = unbase64(encoded)
    if len(material) != 33 or material[:1] != b"\x04" or key_id(name, b"\x04", material[1:]).hex() != hint:
        raise Wrong("a witness's key reads name+id+key, of kind 04")
    return (name, bytes.fromhex(hint)), material[1:]


def cosignatures(
    checkpoint: Checkpoint, witnesses: dict[tuple[str, bytes], bytes]
) -> Iterator[tuple[tuple[str, bytes], Signature, int]]:
    """Known witnesses, their signatures that are still to be checked, and the Unix time that each swears to."""
    for line in checkpoint.lines:
        if line[:2] in witnesses:
            stamp = int.from_bytes(line[2][:8], "big")
            message = f"cosignature/v1\ntime {stamp}\n{checkpoint.text}"
            yield line[:2], (witnesses[line[:2]], message.encode(), line[2][8:]), min(stamp, 1 << 40)


def last(cosigned: tuple[int, int, int]) -> str:
    """The newest of a witness's cosignatures, in words."""
    return f", the last over {cosigned[1]} leaves at {spoken(cosigned[2])}" if cosigned[0] else ""


def spread(work: Callable[[Any], Any], items: Iterable[Any], jobs: int) -> Iterator[Any]:
    """Map over the cores, or in this process where others cannot be had."""
    pool = None
    with contextlib.suppress(ImportError, OSError):
        pool = multiprocessing.Pool(jobs) if jobs > 1 else None
    if pool is None:
        yield from map(work, items)
        return
    with pool:
        yield from pool.imap(work, items)


def extend(ranges: list[tuple[int, int]], index: int) -> None:
    if ranges and ranges[-1][1] == index - 1:
        ranges[-1] = (ranges[-1][0], index)
    else:
        ranges.append((index, index))


def minus(these: list[tuple[int, int]], those: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What closed ascending ranges hold beyond others."""
    at = 0
    for low, high in these:
        while at < len(those) and those[at][0] <= high:
            start, stop = those[at]
            if low < start:
                yield low, start - 1
            low = max(low, stop + 1)
            if stop > high:
                break
            at += 1
        if low <= high:
            yield low, high


def span(low: int, high: int) -> str:
    return f"records.jsonl leaf {low}" if low == high else f"records.jsonl leaves {low} to {high}"


# --- What is said ---


def verify(path: str, options: Options) -> dict[str, Any]:
    """The result as it is printed with --json."""
    audit = None
    try:
        audit = Audit(Pack(path), options)
        audit.run()
        faults, seen = audit.faults, audit.seen
    except (Wrong, *UNREADABLE, *MALFORMED) as error:
        faults, seen = {"files": [(path, f"cannot be read as a pack: {error}")]}, {}
    checks = [
        {
            "name": name,
            "ok": name not in faults,
            "detail": seen.get(name, ""),
            "failed": len(faults.get(name, [])),
            "failures": [{"place": place, "reason": reason} for place, reason in faults.get(name, [])],
        }
        for name in CHECKS
        if name in seen or name in faults
    ]
    about = ("iss", "site", "ledger", "generated_at", "from", "to", "first", "end", "tree_size")
    manifest = audit.manifest if audit else {}
    return {
        "ok": not faults,
        "pack": {name: manifest.get(name) for name in about},
        "keys": list(audit.keys) if audit else [],
        "checks": checks,
        "unchecked": audit.commands if audit else [],
        "cosigners": sorted(audit.strangers) if audit else [],
    }


def report(result: dict[str, Any]) -> Iterator[str]:
    yield "Evidence of the ledger {ledger}, made {generated_at}".format(**result["pack"])
    for check in result["checks"]:
        name, detail = check["name"], check["detail"] and f" ({check['detail']})"
        yield f"{'ok' if check['ok'] else 'FAIL':4}  {name:12} {CHECKS[name]}{detail}"
        for failure in check["failures"][:PRINTED]:
            yield f"      {failure['place']}: {failure['reason']}"
        if check["failed"] > PRINTED:
            yield f"      and {check['failed'] - PRINTED} more"
    for kid in result["keys"]:
        yield f"key   {kid}"
    if result["cosigners"]:
        yield f"Not checked here: cosignatures of {', '.join(result['cosigners'])}. See --witness."
    if result["unchecked"]:
        yield "Not checked here: whether a timestamp authority signed these timestamps. With its root certificate, run"
        yield from (f"      {command}" for command in result["unchecked"][-PRINTED:])
        if len(result["unchecked"]) > PRINTED:
            yield f"      and {len(result['unchecked']) - PRINTED} more; --json prints all of them"
    yield "The pack holds." if result["ok"] else "The pack DOES NOT hold."


def plain(line: str) -> str:
    """A line in ASCII without control characters: what stands in a pack moves no cursor and ends no line."""
    visible = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", line)
    return visible.encode("ascii", "backslashreplace").decode()


def read_text(path: str) -> str:
    # Some editors put a byte order mark before a checkpoint or key set that was kept.
    with open(path, encoding="utf-8-sig", newline="") as file:
        return file.read()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check an evidence pack. Exit code 0: it holds; 1: it does not.")
    parser.add_argument("pack", nargs="?", default=os.path.dirname(os.path.abspath(__file__)), help="zip or folder")
    parser.add_argument("--keys", metavar="FILE", help="JWK Set of keys that you know to be the ledger's")
    parser.add_argument("--checkpoint", metavar="FILE", action="append", default=[], help="a checkpoint that you kept")
    parser.add_argument(
        "--proof", metavar="FILE", action="append", default=[], help="answer of /ledger/SITE/consistency"
    )
    parser.add_argument(
        "--witness", metavar="VKEY", action="append", default=[], help="key of a witness that you trust"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args(arguments)
    try:
        for vkey in given.witness:
            read_witness(vkey)
        options = Options(
            read_jwks(strict_json(read_text(given.keys))) if given.keys else None,
            [(path, read_text(path)) for path in given.checkpoint],
            [read_proof(read_text(path)) for path in given.proof],
            given.witness,
            given.jobs,
            show if sys.stderr.isatty() else lambda _: None,
        )
    except (Wrong, OSError, ValueError) as error:
        parser.error(plain(str(error)))
    result = verify(given.pack, options)
    if sys.stderr.isatty():
        print(f"\r{'':40}\r", end="", file=sys.stderr)
    print(json.dumps(result, indent=1) if given.json else "\n".join(map(plain, report(result))))
    return 0 if result["ok"] else 1


def show(count: int) -> None:
    print(f"\r{count} records checked", end="", file=sys.stderr, flush=True)


def read_proof(text: str) -> dict[str, Any]:
    proof = strict_json(text)
    if not isinstance(proof, dict) or not isinstance(proof.get("hashes"), list):
        raise Wrong("a proof has from, to and hashes")
    number(proof.get("from")), number(proof.get("to"))
    return proof


if __name__ == "__main__":
    sys.exit(main())
