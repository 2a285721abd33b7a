"""Replay a ledger from its public bytes alone, as an auditor elsewhere does: no database, no key of the server."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from urllib.parse import quote

from consent_server.core.canonical import decode_strict
from consent_server.core.errors import InvalidProof
from consent_server.core.hashes import HASH_BYTES
from consent_server.core.keys import KeyRing, verify_jws
from consent_server.core.notes import MAX_NOTE_BYTES, Checkpoint, parse_checkpoint, parse_note
from consent_server.core.outgoing import Unanswered, get
from consent_server.core.seal_guard import site_ledger
from consent_server.decisions.rules_contents import commitment
from consent_server.ledger.regrow import RegrownLedger, keys_under
from consent_server.ledger.rules import TILE_WIDTH, Tile, leaf_hash, verify_consistency
from consent_server.ledger.rules_remark import REMARK_TYPE, Remarks, read_remark
from consent_server.ledger.rules_report import Report
from consent_server.ledger.rules_witness import CosignedCheckpoint

# Bytes of a set of keys, or of a proof: far more than an honest server sends.
LARGEST = 256 * 1024
# Bytes of all that a ledger says of itself: some thousand entries.
REMARKS = 1 << 22
# Checkpoints asked for at once: a page stays bounded where each has as many cosignatures as a note may hold.
PAGE = 100


def check_public_ledger(
    url: str,
    key: str,
    kept: Iterable[str] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Fetch keys, checkpoints and tiles of a site's ledger from the server at `url`, grow the tree anew, and compare
    it with all of them, with a consistency proof, and with checkpoints that somebody kept.

    Holds the unfinished tile of each level and one page, however long the ledger is. What does not answer, or
    not in time, is a fault: a ledger that cannot be read is not one that holds.
    """
    report = Report()
    try:
        _Replay(_Public(url, key), report, kept).run(progress)
    except Unanswered as error:
        report.fail(url, str(error))
    except InvalidProof as error:
        report.fail("", error.detail)
    return report


class _Public:
    """What a server says of a ledger. Raises Unanswered, and InvalidProof for what is not as it should be."""

    def __init__(self, url: str, key: str) -> None:
        self._server, self._ledger = url.rstrip("/"), f"{url.rstrip('/')}/ledger/{quote(key, safe='')}"
        self.name = f"/ledger/{key}"

    def newest(self) -> tuple[str, Checkpoint, KeyRing]:
        """The newest checkpoint, not verified, and the published keys."""
        note = self._text(f"{self._ledger}/checkpoint", MAX_NOTE_BYTES)
        checkpoint = parse_checkpoint(parse_note(note).text)
        if not site_ledger(checkpoint.origin)[0].endswith(self.name):
            raise InvalidProof(f"{self._ledger}/checkpoint: it belongs to another ledger, {checkpoint.origin}")
        ring = KeyRing.from_jwks(self._text(f"{self._server}/.well-known/jwks.json", LARGEST))
        return note, checkpoint, ring

    def remarks(self, ring: KeyRing, origin: str) -> tuple[Remarks, dict[int, bytes]]:
        """What the ledger says of itself, signed, and the leaf hash of each of these."""
        # A server from before there were any has no such page.
        answer = decode_strict(self._get(f"{self._ledger}/remarks", REMARKS, missing=b'{"items": []}'))
        remarks, hashes = [], {}
        try:
            for item in answer["items"]:
                claims = verify_jws(item["entry"], REMARK_TYPE, ring)
                remark = read_remark(claims, int(item["leaf_index"]))
                if not self.name.endswith(f"/{claims['site']}"):
                    raise InvalidProof("it is another site's")
                remarks.append(remark)
                hashes[remark.leaf_index] = leaf_hash(commitment(bytes.fromhex(item["salt"]), item["entry"]))
        except (LookupError, TypeError, ValueError):
            raise InvalidProof("the ledger's remarks do not have their form") from None
        return Remarks(origin, remarks), hashes

    def feed(self, upto: int) -> Iterator[CosignedCheckpoint]:
        """The checkpoints of at most `upto` leaves, oldest first."""
        after = 0
        while after < upto:
            # Twice a note: JSON writes some characters in more bytes.
            page = self._text(f"{self._ledger}/checkpoints?after={after}&limit={PAGE}", PAGE * 2 * MAX_NOTE_BYTES)
            lines = page.splitlines()
            if not lines:
                return
            for line in lines:
                row = _read_line(line)
                # Also what ends the loop: a feed that goes round in circles is not one.
                if row.size <= after:
                    raise InvalidProof(f"checkpoint {row.size}: the feed is not in order of size")
                after = row.size
                if after > upto:
                    return
                yield row

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile."""
        length = tile.width * HASH_BYTES
        data = self._get(f"{self._ledger}/{tile.path}", length)
        if len(data) != length:
            raise InvalidProof(f"The tile {tile.path} is cut short.")
        return data

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof between two sizes, as the server gives it."""
        answer = decode_strict(self._get(f"{self._ledger}/consistency?from={old}&to={size}", LARGEST))
        try:
            return [bytes.fromhex(value) for value in answer["hashes"]]
        except (LookupError, TypeError, ValueError):
            raise InvalidProof("the answer is not a proof") from None

    def _text(self, address: str, most: int) -> str:
        # What is no text is refused by whoever parses it, in words.
        return self._get(address, most).decode("utf-8", "replace")

    def _get(self, address: str, most: int, missing: bytes | None = None) -> bytes:
        try:
            answer = get(address, most)
        except Unanswered as error:
            raise Unanswered(f"{address.removeprefix(self._server)}: {error}") from error
        if answer.status == 404 and missing is not None:
            return missing
        if answer.status != 200:
            raise InvalidProof(f"{address}: the server answered {answer.status}")
        return answer.body


class _Replay:
    """A ledger made anew from its tiles of level 0."""

    def __init__(self, public: _Public, report: Report, kept: Iterable[str]) -> None:
        self.public, self.report = public, report
        note, self.newest, ring = public.newest()
        self.remarks, self.remark_hashes = public.remarks(ring, self.newest.origin)
        report.counts.update(self.remarks.counted())
        self.grown = RegrownLedger(report, keys_under(ring, self.remarks.origins), kept, self.remarks)
        self.grown.opened("the newest checkpoint", note)
        kept_roots = [(size, root) for size, roots in self.grown.kept.items() for root in roots]
        self.oldest = min(kept_roots, default=None)

    def run(self, progress: Callable[[int], None]) -> None:
        size = self.newest.size
        feed = self.public.feed(size)
        ahead = next(feed, None)
        if self.oldest is None and ahead is not None:
            self.oldest = (ahead.size, parse_checkpoint(parse_note(ahead.note).text).root)
        for first in range(0, size, TILE_WIDTH):
            end = min(size, first + TILE_WIDTH)
            checkpoints = {}
            while ahead is not None and ahead.size <= end:
                checkpoints[ahead.size] = ahead
                ahead = next(feed, None)
            if size == end and size not in checkpoints:
                self.report.fail(f"checkpoint {size}", "the feed does not hold the newest")
            self.page(first, end, checkpoints)
            progress(self.report.counts["leaves"])
        if size and self.grown.root(size) != self.newest.root:
            self.report.fail("the newest checkpoint", f"its {size} leaves do not lead to its root")
        for index in self.remark_hashes:
            self.report.fail(f"leaf {index}", "the ledger is said to remark on itself there, and is shorter")
        self.grown.finish(size, size, self.public.tile)
        self.compare_proof()

    def page(self, first: int, end: int, checkpoints: Mapping[int, CosignedCheckpoint]) -> None:
        tile = Tile(0, first // TILE_WIDTH, end - first)
        data = self.public.tile(tile)
        hashes = [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
        self.report.counts["leaves"] += len(hashes)
        for index in [index for index in self.remark_hashes if first <= index < end]:
            if self.remark_hashes.pop(index) != hashes[index - first]:
                self.report.fail(f"leaf {index}", "it is not the remark that the ledger is said to make there")
        # The leaves are of this very tile: only what stands above them is to be fetched and compared.
        self.grown.add(first, hashes, checkpoints, lambda wanted: data if wanted == tile else self.public.tile(wanted))

    def compare_proof(self) -> None:
        """The replay says more than any proof, but not whether the proofs that the server hands out are right."""
        old, root = self.oldest or (0, b"")
        if not 0 < old <= self.newest.size:
            return
        try:
            proof = self.public.consistency(old, self.newest.size)
            verify_consistency(old, self.newest.size, proof, root, self.newest.root)
        except InvalidProof as error:
            self.report.fail(f"consistency from {old} to {self.newest.size}", error.detail)


def _read_line(line: str) -> CosignedCheckpoint:
    try:
        fields = decode_strict(line.encode())
        size, sealed_at, note = fields["size"], datetime.fromisoformat(fields["sealed_at"]), fields["note"]
        if type(size) is not int or not isinstance(note, str) or sealed_at.utcoffset() is None:
            raise ValueError
    except (InvalidProof, LookupError, TypeError, ValueError):
        raise InvalidProof("The feed has a line that is not a checkpoint.") from None
    return CosignedCheckpoint(size, sealed_at, note)
