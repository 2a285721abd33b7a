"""A ledger in memory with real keys, and packs of it; every part lies open to an attacker."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

from joserfc.jwk import OKPKey

from consent_server.audit.pack import (
    PackConfiguration,
    PackContents,
    PackEntry,
    PackPicture,
    PackPublication,
    PackTimestamp,
    stream_pack,
)
from consent_server.core.canonical import encode
from consent_server.core.hashes import HASH_BYTES
from consent_server.core.keys import KeyRing
from consent_server.core.notes import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    Note,
    NoteKey,
    cosign_note,
    format_note,
    sign_note,
)
from consent_server.decisions.rules import decide
from consent_server.decisions.rules_contents import commitment
from consent_server.decisions.rules_receipt import RECEIPT_TYPE, Issuer, receipt_claims, uuid7
from consent_server.ledger.rules import Tile, Tree, grow, leaf_hash
from consent_server.ledger.rules_remark import REMARK_TYPE, Gap, RemarkRule, remark_claims
from consent_server.ledger.rules_removal import REMOVAL_TYPE, Rule, removal_claims
from consent_server.ledger.rules_witness import CosignedCheckpoint
from tests.support import jose
from tests.support.factories import PUBLIC_URL, START, answer, notice_of, site_file

SITE = "shop"
ORIGIN = f"consent.example/ledger/{SITE}"
ISSUER = Issuer(PUBLIC_URL, SITE, ORIGIN)
NOTICE = notice_of(site_file())
CODE = "(adapters=>config=>{})({})\n(detail=>{})\n(more=>{})"
PARTS = {"main": '{"a": 1}', "preferences": "{}", "details": "[]"}
WIDGET = sha256(CODE.encode()).hexdigest()
PICTURE = sha256(b"PNG").hexdigest()


def new_ring() -> KeyRing:
    """A key of one's own."""
    return KeyRing([OKPKey.generate_key("Ed25519", auto_kid=False)])


@dataclass
class Row:
    """A leaf with its record: what an attacker on the database can write."""

    receipt: str | None
    salt: bytes | None
    leaf: bytes
    removed_by: int | None = None


@dataclass
class EvidenceLedger:
    """A site's ledger. `rows` and the rest may be altered before a pack is made of them."""

    ring: KeyRing = field(default_factory=new_ring)
    now: datetime = START
    rows: list[Row] = field(default_factory=list)
    checkpoints: list[CosignedCheckpoint] = field(default_factory=list)
    publications: list[PackPublication] = field(default_factory=lambda: [PackPublication(NOTICE.hash, START)])
    notices: dict[str, bytes] = field(default_factory=lambda: {NOTICE.hash: encode(dict(NOTICE.body))})
    widgets: dict[str, str] = field(default_factory=lambda: {WIDGET: CODE})
    configurations: list[PackConfiguration] = field(
        default_factory=lambda: [PackConfiguration(NOTICE.hash, WIDGET, "en", PARTS, START)]
    )
    pictures: list[PackPicture] = field(
        default_factory=lambda: [PackPicture(PICTURE, NOTICE.hash, WIDGET, "en", 390, "Chromium 1", START, b"PNG")]
    )
    timestamps: list[PackTimestamp] = field(default_factory=list)
    jwks: dict[str, Any] | None = None
    made: int = 0
    # The name under which it goes on, and the leaves of what it says of itself.
    origin: str = ORIGIN
    remarks: list[int] = field(default_factory=list)
    # Leaves that the database no longer has, and the size that the exporter believes in.
    skipped: set[int] = field(default_factory=set)
    size: int | None = None
    # The tiles, where the attacker has not touched them: leaf hashes in the order of sealing.
    tiles: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, count: int, batch: int = 7, ring: KeyRing | None = None) -> "EvidenceLedger":
        """A ledger of so many receipts, with a checkpoint over each batch, five seconds apart."""
        ledger = cls(ring or new_ring())
        for number in range(1, count + 1):
            ledger.decide()
            if number % batch == 0 or number == count:
                ledger.seal()
        return ledger

    def random(self, count: int) -> bytes:
        """Bytes that no other record has."""
        self.made += 1
        return sha256(self.made.to_bytes(8)).digest()[:count]

    def receipt(self, ring: KeyRing | None = None, **changes: Any) -> str:
        """A receipt as the server signs it."""
        shown = answer(NOTICE, decision_id=UUID(bytes=self.random(16), version=4))
        receipt_id = uuid7(self.now, self.random(10))
        claims = receipt_claims(
            self.issuer, NOTICE, decide(NOTICE, shown), receipt_id, None, WIDGET, self.now, "https://shop.example/"
        )
        return (ring or self.ring).sign(claims | changes, RECEIPT_TYPE)

    def append(self, token: str) -> int:
        """Number a record or a removal, and return its leaf index."""
        salt = self.random(32)
        leaf = leaf_hash(commitment(salt, token))
        self.rows.append(Row(token, salt, leaf))
        self.tiles.append(leaf)
        return len(self.rows) - 1

    def decide(self, **changes: Any) -> int:
        """Record a decision."""
        self.now += timedelta(milliseconds=500)
        return self.append(self.receipt(**changes))

    def seal(self, witness: tuple[NoteKey, Callable[[bytes], bytes]] | None = None) -> str:
        """Sign a checkpoint over everything there is; a witness cosigns it at the same time."""
        self.now += timedelta(seconds=5)
        text = Checkpoint(self.origin, len(self.tiles), self.tree().root()).text
        signatures = [sign_note(text, NoteKey(self.origin, ED25519, self.ring.public_bytes()), self.ring.sign_bytes)]
        if witness:
            assert witness[0].kind == COSIGNATURE
            signatures.append(cosign_note(text, witness[0], int(self.now.timestamp()), witness[1]))
        note = format_note(Note(text, tuple(signatures)))
        self.checkpoints.append(CosignedCheckpoint(len(self.tiles), self.now, note))
        return note

    @property
    def issuer(self) -> Issuer:
        """Who signs its entries."""
        return replace(ISSUER, ledger=self.origin)

    def remark(self, rule: RemarkRule, *ranges: tuple[int, int], gap: Gap | None = None) -> int:
        """Have it say something of itself, and return the leaf."""
        self.now += timedelta(seconds=1)
        claims = remark_claims(
            self.issuer, uuid7(self.now, self.random(10)), rule, "So it was", list(ranges), self.now, gap
        )
        self.remarks.append(self.append(self.ring.sign(claims, REMARK_TYPE)))
        return self.remarks[-1]

    def recover(self, lost: int) -> int:
        """Go on under the next name, as after a restore that lost so many leaves."""
        gap = Gap(self.origin, len(self.rows) + lost, sha256(b"lost").hexdigest(), len(self.rows))
        self.origin = f"{ORIGIN}/2"
        return self.remark(RemarkRule.RESTORED, gap=gap)

    def remove(self, *ranges: tuple[int, int], rule: Rule = Rule.ERASURE, ring: KeyRing | None = None) -> int:
        """Erase leaves behind a signed entry that names them, and return that entry's leaf index."""
        self.now += timedelta(seconds=1)
        removal_id = uuid7(self.now, self.random(10))
        claims = removal_claims(self.issuer, removal_id, rule, "Request of the visitor", list(ranges), self.now)
        index = self.append((ring or self.ring).sign(claims, REMOVAL_TYPE))
        for first, last in ranges:
            for leaf in range(first, last + 1):
                self.rows[leaf] = Row(None, None, self.rows[leaf].leaf, index)
        return index

    def tree(self) -> Tree:
        """The sealed tree, from its tiles."""
        stored: dict[tuple[int, int], bytes] = {}

        def read(tile: Tile) -> bytes:
            return stored[tile.level, tile.index][: tile.width * HASH_BYTES]

        for tile, data in grow(0, self.tiles, read):
            stored[tile.level, tile.index] = data
        return Tree(len(self.tiles), read)

    def contents(self, first: int = 0, end: int | None = None, **changes: Any) -> PackContents:
        """A pack of leaves first to end (excluded), both at checkpoints; all of them by default."""
        size = (self.checkpoints[-1].size if self.checkpoints else 0) if self.size is None else self.size
        end = size if end is None else end
        tree = self.tree()
        rows = set(range(len(self.rows))) - self.skipped

        def entry(index: int) -> PackEntry:
            row = self.rows[index]
            path = tree.inclusion_proof(index) if index < tree.size else []
            return PackEntry(index, row.leaf, path, row.receipt, row.salt, row.removed_by)

        contents = PackContents(
            issuer=PUBLIC_URL,
            site=SITE,
            ledger=self.origin,
            since=None,
            until=None,
            generated_at=self.now + timedelta(minutes=1),
            first=first,
            end=end,
            tree_size=size,
            jwks=self.jwks or self.ring.public_jwks(),
            entries=(entry(index) for index in range(first, end) if index in rows),
            removals=lambda indexes: [entry(index) for index in indexes if index < len(self.rows)],
            checkpoints=[one for one in self.checkpoints if first <= one.size <= end or one.size == size],
            publications=self.publications,
            notice=self.notices.get,
            widget=self.widgets.get,
            configurations=self.configurations,
            pictures=self.pictures,
            timestamps=self.timestamps,
            sign=self.ring.sign,
            remarks=[entry(index) for index in self.remarks],
        )
        return replace(contents, **changes)

    def write(self, path: Path, *bounds: int, **changes: Any) -> Path:
        """Write a pack."""
        with path.open("wb") as file:
            file.writelines(stream_pack(self.contents(*bounds, **changes)))
        return path

    def foreign_row(self) -> Row:
        """A receipt that somebody else signed, with a leaf of its own."""
        receipt, salt = self.receipt(new_ring()), self.random(32)
        return Row(receipt, salt, leaf_hash(commitment(salt, receipt)))

    def claims(self, index: int) -> dict[str, Any]:
        """What the record of a leaf says."""
        receipt = self.rows[index].receipt
        assert receipt is not None
        return jose.claims(receipt)


def rewrite(pack: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change the files of a finished pack."""
    with ZipFile(pack) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with ZipFile(pack, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return pack
