"""Writes evidence packs (docs/formats/evidence.md): a zip, streamed, in memory that does not grow with it."""

import base64
import json
import re
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import IO, Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from consent_server.audit.rules_search import unchecked_claims
from consent_server.core.hashes import SHA256_HEX
from consent_server.core.notes import ED25519, NoteKey
from consent_server.core.times import rfc3339
from consent_server.ledger.rules_witness import CosignedCheckpoint

MANIFEST_TYPE = "consent-manifest+jwt"
SCHEMA = "1"

HERE = Path(__file__).parent

# Handed on once this much has gathered.
CHUNK = 256 * 1024
# The files of up to a line a leaf, and what a line stays below: a note has at most 128 KiB.
LONG = ("records.jsonl", "removals.jsonl", "checkpoints.jsonl")
LONGEST_LINE = 256 * 1024
# What stands in a file of its own, and not in the line about it.
FILES = frozenset({"png", "reply"})
# What the README alone tells: verifiers hold a line of publications.jsonl to its two members.
IN_README = frozenset({"title"})

Sign = Callable[[Mapping[str, Any], str], str]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class PackEntry:
    """A leaf and what it commits to. `receipt` and `salt` are None once removed; then `removed_by` is the
    leaf of the removal that says so.
    """

    index: int
    leaf: bytes
    path: Sequence[bytes]
    receipt: str | None = None
    salt: bytes | None = None
    removed_by: int | None = None


@dataclass(frozen=True, slots=True)
class PackPublication:
    """When a site began to show a notice, and what that is called, which is told in the README alone."""

    notice: str
    published_at: datetime
    title: str = ""


@dataclass(frozen=True, slots=True)
class PackTimestamp:
    """An RFC 3161 answer (DER) about a SHA-256: of the checkpoint of a size, a notice, or the widget's code."""

    kind: str
    size: int | None
    digest: bytes
    stamped_at: datetime
    reply: bytes


@dataclass(frozen=True, slots=True)
class PackConfiguration:
    """What code (by its hash) was served with to show a notice in one language: the text of each script, since when."""

    notice: str
    widget: str
    language: str
    parts: Mapping[str, str]
    served_at: datetime


@dataclass(frozen=True, slots=True)
class PackPicture:
    """A picture (PNG, `width` CSS pixels wide) of the banner that code draws of a notice in one language."""

    hash: str
    notice: str
    widget: str
    language: str
    width: int
    browser: str
    taken_at: datetime
    png: bytes


@dataclass(frozen=True)
class PackContents:
    """All that a pack says, as one snapshot of the storage; the iterables are read once, in this order.

    Leaves `first` to `end` (excluded) begin and end at checkpoints. What a look-up does not find is left
    out: that it is missing is for the verifier to say, not for the export to hide by failing.
    """

    issuer: str
    site: str
    ledger: str
    since: datetime | None
    until: datetime | None
    generated_at: datetime
    first: int
    end: int
    tree_size: int
    jwks: Mapping[str, Any]
    entries: Iterable[PackEntry]
    removals: Callable[[Sequence[int]], Iterable[PackEntry]]
    checkpoints: Iterable[CosignedCheckpoint]
    publications: Sequence[PackPublication]
    notice: Callable[[str], bytes | None]
    widget: Callable[[str], str | None]
    configurations: Iterable[PackConfiguration]
    pictures: Iterable[PackPicture]
    timestamps: Iterable[PackTimestamp]
    sign: Sign
    demo: bool = False
    # All that the ledger ever said of itself, whichever leaves the pack has: times and names are read by it.
    remarks: Sequence[PackEntry] = ()


def stream_pack(pack: PackContents, progress: Progress = lambda _: None) -> Iterator[bytes]:
    """A pack in pieces, as they are made. The same contents give the same bytes.

    When reading the contents fails the pieces end before the zip's directory, and no reader takes that
    for a pack.
    """
    sink = _Sink()
    with ZipFile(cast("IO[bytes]", sink), "w") as archive, closing(_Writer(archive, pack).write(progress)) as steps:
        for _ in steps:
            if sink.size >= CHUNK:
                yield sink.take()
    yield sink.take()


class _Sink:
    """Takes what the zip writer writes. It cannot seek, so a file gets the same bytes as a socket."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        if data:
            self._parts.append(bytes(data))
            self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self.size, self._parts = 0, []
        return taken


class _Writer:
    """One pack being written. It keeps what was named but not yet written: hashes and removals."""

    def __init__(self, archive: ZipFile, pack: PackContents) -> None:
        self.archive, self.pack = archive, pack
        self.files: dict[str, dict[str, Any]] = {}
        self.widgets: set[str] = set()
        self.removals: set[int] = set()

    def write(self, progress: Progress) -> Generator[None]:
        """Write file after file; yields between pieces, so that they can be handed on."""
        pack = self.pack
        self._file("README.md", _readme(pack))
        self._file("verify.py", (HERE / "verify.py").read_bytes())
        self._file("keys.json", _indented({**pack.jwks, "ledger": ledger_keys(pack.ledger, pack.jwks)}))
        yield
        yield from self._lines("records.jsonl", self._records(progress))
        yield from self._lines("removals.jsonl", self._later_removals())
        if pack.remarks:
            yield from self._lines("remarks.jsonl", map(_entry_line, pack.remarks))
        yield from self._lines("checkpoints.jsonl", map(_line, pack.checkpoints))
        yield from self._archive()
        yield from self._lines("configurations.jsonl", map(_configuration_line, pack.configurations))
        yield from self._pictures()
        yield from self._timestamps()
        self._manifest()

    def _records(self, progress: Progress) -> Iterator[dict[str, Any]]:
        for written, entry in enumerate(self.pack.entries, start=1):
            if entry.removed_by is not None:
                self.removals.add(entry.removed_by)
            if entry.receipt is not None and (widget := _widget_of(entry.receipt)):
                self.widgets.add(widget)
            yield _entry_line(entry)
            progress(written)

    def _later_removals(self) -> Iterator[dict[str, Any]]:
        return map(_entry_line, self.pack.removals(sorted(index for index in self.removals if index >= self.pack.end)))

    def _archive(self) -> Iterator[None]:
        """The dated list of notices, then each of them once, then the code that receipts name."""
        written = set()
        lines = []
        for publication in self.pack.publications:
            # The hash becomes a file's name: a database that somebody altered must not choose where.
            notice = self.pack.notice(publication.notice) if SHA256_HEX.fullmatch(publication.notice) else None
            lines.append(_line(publication))
            if notice is not None and publication.notice not in written:
                self._file(f"notices/{publication.notice}.json", notice)
                yield
            written.add(publication.notice)
        yield from self._lines("publications.jsonl", lines)
        for widget in sorted(self.widgets):
            if (code := self.pack.widget(widget)) is not None:
                self._file(f"widget/{widget}.js", code.encode())
                yield

    def _pictures(self) -> Iterator[None]:
        """The list of pictures, and each in a file that its SHA-256 names."""
        lines = []
        for picture in self.pack.pictures:
            lines.append(_line(picture, hash="picture"))
            name = f"pictures/{picture.hash}.png"
            if SHA256_HEX.fullmatch(picture.hash) and name not in self.files:
                self._file(name, picture.png)
                yield
        yield from self._lines("pictures.jsonl", lines)

    def _timestamps(self) -> Iterator[None]:
        """Those of what the pack holds, each in a file of its own, as other programs read them."""
        lines = []
        for timestamp in self.pack.timestamps:
            if self._holds(timestamp):
                self._file(f"timestamps/{timestamp.digest.hex()}.tsr", timestamp.reply)
                lines.append(_line(timestamp))
                yield
        yield from self._lines("timestamps.jsonl", lines)

    def _holds(self, timestamp: PackTimestamp) -> bool:
        if timestamp.kind == "checkpoint":
            # By the range that the pack has: one that somebody took out of it is for the verifier to miss.
            size, pack = timestamp.size or 0, self.pack
            return pack.first <= size <= pack.end or size == pack.tree_size
        names = {"notice": "notices/{}.json", "widget": "widget/{}.js"}
        return names.get(timestamp.kind, "").format(timestamp.digest.hex()) in self.files

    def _manifest(self) -> None:
        pack = self.pack
        head = {"iss": pack.issuer, "schema": SCHEMA, "site": pack.site, "ledger": pack.ledger}
        manifest = _indented(
            {
                **head,
                "generated_at": rfc3339(pack.generated_at),
                "from": pack.since and rfc3339(pack.since),
                "to": pack.until and rfc3339(pack.until),
                "first": pack.first,
                "end": pack.end,
                "tree_size": pack.tree_size,
                "files": self.files,
            }
        )
        claims = {**head, "iat": int(pack.generated_at.timestamp()), "manifest": sha256(manifest).hexdigest()}
        signature = pack.sign(claims, MANIFEST_TYPE)
        self._file("manifest.json", manifest)
        self._file("manifest.jws", signature.encode())

    def _file(self, name: str, data: bytes) -> None:
        with self._open(name) as write:
            write(data)

    def _lines(self, name: str, lines: Iterable[Mapping[str, Any]]) -> Iterator[None]:
        with self._open(name) as write:
            for line in lines:
                write(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
                yield

    @contextmanager
    def _open(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """A new file of the zip, weighed and hashed for the manifest as it is written."""
        info = ZipInfo(name, date_time=self.pack.generated_at.astimezone(UTC).timetuple()[:6])
        info.compress_type = ZIP_STORED if name.endswith(".png") else ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        digest, size = sha256(), 0
        # Said before it is written. A period has at most a checkpoint a leaf, and the first and the newest.
        large = name in LONG and (self.pack.end - self.pack.first + 2) * LONGEST_LINE > zipfile.ZIP64_LIMIT
        with self.archive.open(info, "w", force_zip64=large) as file:

            def write(data: bytes) -> None:
                nonlocal size
                digest.update(data)
                size += len(data)
                file.write(data)

            yield write
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}


def ledger_keys(origin: str, jwks: Mapping[str, Any]) -> list[str]:
    """The keys of a JWK Set as verifiers of notes are given them."""
    publics = (base64.urlsafe_b64decode(key["x"] + "=") for key in jwks["keys"])
    return [NoteKey(origin, ED25519, public).vkey for public in publics]


def _entry_line(entry: PackEntry) -> dict[str, Any]:
    return {
        "leaf_index": entry.index,
        "leaf": entry.leaf.hex(),
        "receipt": entry.receipt,
        "salt": None if entry.salt is None else entry.salt.hex(),
        "hashes": [value.hex() for value in entry.path],
        "removed_by": entry.removed_by,
    }


def _line(value: Any, **renamed: str) -> dict[str, Any]:
    """The fields of a value in their order, bytes in hex, under other names where `renamed`."""
    names = [name for name in value.__slots__ if name not in FILES | IN_README]
    return {renamed.get(name, name): _as_json(getattr(value, name)) for name in names}


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.hex() if isinstance(value, bytes) else value


def _configuration_line(served: PackConfiguration) -> dict[str, Any]:
    named = {"notice": served.notice, "widget": served.widget, "language": served.language}
    return {**named, **served.parts, "served_at": rfc3339(served.served_at)}


def _indented(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def _widget_of(receipt: str) -> str | None:
    """The widget that a receipt names, unchecked: a record that somebody altered is exported as it is."""
    widget = unchecked_claims(receipt).get("widget")
    return widget if isinstance(widget, str) and SHA256_HEX.fullmatch(widget) else None


def _readme(pack: PackContents) -> bytes:
    mark = "**Demonstration data.** Everything about this site is made up: nobody saw, chose or clicked anything.\n\n"
    template = Template((HERE / "README.template.md").read_text("utf-8"))
    keys = "\n".join(f"- `{key['kid']}`" for key in pack.jwks["keys"])
    text = template.substitute(
        site=pack.site,
        mark=mark if pack.demo else "",
        ledger=pack.ledger,
        issuer=pack.issuer,
        generated_at=rfc3339(pack.generated_at),
        since=rfc3339(pack.since) if pack.since else "the beginning",
        until=rfc3339(pack.until) if pack.until else "this export",
        first=pack.first,
        end=pack.end,
        count=pack.end - pack.first,
        tree_size=pack.tree_size,
        keys=keys,
        notices="\n".join(map(_notice_row, pack.publications)),
    )
    return text.encode()


def _notice_row(publication: PackPublication) -> str:
    return f"| {rfc3339(publication.published_at)} | {_cell(publication.title)} | {_cell(publication.notice)} |"


def _cell(text: str) -> str:
    """Whatever an operator calls a notice, or somebody wrote in the place of its hash, it is one cell of a table."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
