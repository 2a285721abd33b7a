"""Somebody who writes into the database past the product: without triggers, and without the ledger's key."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import Session

from consent_server.core import append_only
from consent_server.core.hashes import HASH_BYTES
from consent_server.core.keys import KeyRing
from consent_server.core.notes import (
    ED25519,
    Checkpoint,
    Note,
    NoteKey,
    format_note,
    parse_checkpoint,
    parse_note,
    sign_note,
)
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.rules_contents import Record, commitment
from consent_server.decisions.rules_receipt import RECEIPT_TYPE
from consent_server.ledger.rules import Tree, grow, leaf_hash
from consent_server.ledger.rules_removal import REMOVAL_TYPE
from tests.support import jose
from tests.support.contents import record, write_receipt
from tests.support.evidence_ledger import new_ring

SALT = bytes(32)
OF_SITE = "SELECT id FROM notices WHERE site_id = :site"


@dataclass
class Attacker:
    """One connection to the database of a site's ledger, and a key of the attacker's own."""

    connection: Connection
    site: int
    ring: KeyRing

    @classmethod
    def on(cls, database_url: str) -> "Attacker":
        """Connects as the owner of the database may, and puts the triggers aside."""
        connection = create_engine(database_url).connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.dialect.name == "postgresql":
            # For this connection alone: the tests share the database's tables.
            connection.execute(text("SET session_replication_role = replica"))
        else:
            for name in append_only.names(connection):
                connection.execute(text(f"DROP TRIGGER {name}"))
        site = connection.execute(text("SELECT id FROM sites WHERE key = 'shop'")).scalar_one()
        return cls(connection, site, new_ring())

    def leave(self) -> None:
        """Disconnect."""
        self.connection.close()
        self.connection.engine.dispose()

    def sql(self, statement: str, **values: Any) -> Any:
        """Any statement. `:site` is the site's row id."""
        return self.connection.execute(text(statement), {"site": self.site} | values)

    # --- Verbs ---

    def alter(self, leaf: int, **claims: Any) -> None:
        """Change what a receipt says."""
        self._store(leaf, altered(self.receipt(leaf), **claims))

    def alter_and_recompute(self, leaf: int, **claims: Any) -> None:
        """The same, with a leaf that fits."""
        token = altered(self.receipt(leaf), **claims)
        self._store(leaf, token)
        self._commit_to(leaf, commitment(self.salt(leaf), token))

    def alter_column(self, leaf: int, column: str, value: Any) -> None:
        """Change what stands beside a receipt."""
        self.sql(f"UPDATE decisions SET {column} = :value WHERE id = :row", row=self.row(leaf), value=value)

    def alter_key(self, leaf: int) -> None:
        """Sign a receipt anew, with a key that is not the ledger's."""
        claims = jose.claims(self.receipt(leaf)) | {"grants": {"analytics": True, "advertising": True}}
        token = self.ring.sign(claims, RECEIPT_TYPE)
        self._store(leaf, token)
        self._commit_to(leaf, commitment(self.salt(leaf), token))

    def copy_content(self, leaf: int, to: int) -> None:
        """Put what is encrypted of a record into another."""
        self.alter_column(to, "content", self._column(leaf, "content"))

    def destroy_key(self, leaf: int) -> None:
        """Let nobody read a record any more."""
        with Session(self.connection) as session:
            place = (self._column(leaf, "key_chunk"), self._column(leaf, "key_slot"))
            record_keys.destroy(session, self.site, [place])

    def delete(self, leaf: int) -> None:
        """Take a record away."""
        self.sql("DELETE FROM decisions WHERE id = :row", row=self.row(leaf))

    def delete_with_its_leaf(self, leaf: int) -> None:
        """Take a record and its leaf away."""
        self.delete(leaf)
        self.sql("DELETE FROM leaves WHERE site_id = :site AND leaf_index = :leaf", leaf=leaf)

    def delete_and_close_the_gap(self, leaf: int) -> None:
        """The same, and number all later leaves anew."""
        self.delete_with_its_leaf(leaf)
        for later in range(leaf + 1, self.size + 1):
            self._move_leaf(later, later - 1)

    def delete_behind_a_forged_removal(self, leaf: int) -> None:
        """Take a record away, and write a removal that the ledger's key never signed."""
        claims = jose.claims(self.receipt(leaf)) | {
            "rule": "erasure", "reason": "Request of the visitor", "count": 1, "leaves": [[leaf, leaf]],
        }  # fmt: skip
        entry = self.ring.sign(claims, REMOVAL_TYPE)
        self.sql(
            "INSERT INTO removals (id, site_id, entry, salt, removed_at) VALUES (9001, :site, :entry, :salt, 0)",
            entry=entry, salt=SALT,
        )  # fmt: skip
        self.sql("INSERT INTO removed (site_id, first, last, removal_id) VALUES (:site, :leaf, :leaf, 9001)", leaf=leaf)
        self.delete(leaf)

    def swap(self, one: int, other: int) -> None:
        """Let two records change places."""
        first, second = self.row(one), self.row(other)
        for leaf, row in ((one, None), (other, first), (one, second)):
            self._point(leaf, row)

    def swap_with_their_leaves(self, one: int, other: int) -> None:
        """The same, with leaves that fit."""
        first, second = self.commitment(one), self.commitment(other)
        self.swap(one, other)
        self._commit_to(one, second)
        self._commit_to(other, first)

    def insert_forged(self) -> None:
        """Put in a record that nobody made, for the ledger to seal."""
        claims = jose.claims(self.receipt(3)) | {"jti": str(uuid4()), "decision_id": str(uuid4())}
        self._insert(self.ring.sign(claims, RECEIPT_TYPE), self.last_row + 1, claims)

    def insert_copy(self, leaf: int) -> None:
        """Put in a genuine receipt a second time, for the ledger to seal."""
        claims = {"jti": str(uuid4()), "decision_id": str(uuid4())}
        self._insert(self.receipt(leaf), self.last_row + 1, claims)

    def insert_between(self, leaf: int) -> None:
        """Put a copy of a record in, in front of a leaf, and number all later leaves anew."""
        row = self.last_row + 1
        claims = {"jti": str(uuid4()), "decision_id": str(uuid4())}
        self._insert(self.receipt(leaf), row, claims)
        for later in range(self.size - 1, leaf - 1, -1):
            self._move_leaf(later, later + 1)
        self.sql(
            "INSERT INTO leaves (site_id, leaf_index, commitment, decision_row) VALUES (:site, :leaf, :data, :row)",
            leaf=leaf, data=commitment(SALT, self._receipt_of_row(row)), row=row,
        )  # fmt: skip
        self.sql("UPDATE ledgers SET decisions_to = :row WHERE site_id = :site", row=row)

    def hide_from_the_sealer(self) -> None:
        """Put in a record that seems to be sealed already."""
        claims = {"jti": str(uuid4()), "decision_id": str(uuid4())}
        self._insert(self.receipt(3), self.row(0) - 1, claims)

    def rewrite_tiles(self) -> None:
        """Make the tiles of the leaves as they are now."""
        rows = self.sql("SELECT commitment FROM leaves WHERE site_id = :site ORDER BY leaf_index").scalars()
        hashes = [leaf_hash(bytes(data)) for data in rows]
        self.sql("DELETE FROM tiles WHERE site_id = :site")
        for tile, data in grow(0, hashes, lambda tile: b""):
            self.sql(
                'INSERT INTO tiles (site_id, level, "index", hashes) VALUES (:site, :level, :index, :data)',
                level=tile.level, index=tile.index, data=data,
            )  # fmt: skip

    def rewrite_checkpoints(self) -> None:
        """Make checkpoints over the tiles as they are now, under a key that is not the ledger's."""
        tile = bytes(self.sql("SELECT hashes FROM tiles WHERE site_id = :site AND level = 0").scalar_one())
        total = len(tile) // HASH_BYTES
        self.sql("UPDATE ledgers SET size = :total WHERE site_id = :site", total=total)
        sealed = self.sql("SELECT size, note, sealed_at FROM checkpoints WHERE site_id = :site ORDER BY size").all()
        self.sql("DELETE FROM checkpoints WHERE site_id = :site")
        origin = parse_checkpoint(parse_note(sealed[0].note).text).origin
        for size, _, at in [*(row for row in sealed[:-1] if row.size < total), (total, "", sealed[-1].sealed_at)]:
            root = Tree(size, lambda wanted: tile[: wanted.width * HASH_BYTES]).root()
            self.sql(
                "INSERT INTO checkpoints (site_id, size, note, sealed_at) VALUES (:site, :size, :note, :at)",
                size=size, note=self._signed(Checkpoint(origin, size, root)), at=at,
            )  # fmt: skip

    def cut(self, size: int) -> None:
        """Go back to an older checkpoint, as if nothing had come after it."""
        last = self.row(size - 1)
        self.sql("DELETE FROM decisions WHERE site_id = :site AND id > :last", last=last)
        self.sql("DELETE FROM leaves WHERE site_id = :site AND leaf_index >= :size", size=size)
        self.sql("DELETE FROM checkpoints WHERE site_id = :site AND size > :size", size=size)
        self.rewrite_tiles()
        self.sql("UPDATE ledgers SET size = :size, decisions_to = :last WHERE site_id = :site", size=size, last=last)

    def empty_the_ledger(self) -> None:
        """Throw away all but the records, so that whoever has the key seals them anew."""
        for table in ("leaves", "tiles", "checkpoints"):
            self.sql(f"DELETE FROM {table} WHERE site_id = :site")
        self.sql("UPDATE ledgers SET size = 0, decisions_to = 0, removals_to = 0 WHERE site_id = :site")

    def alter_tile(self, entry: int, level: int = 0, index: int = 0) -> None:
        """Change a hash in a tile; twice, and it is as before."""
        where = f'site_id = :site AND level = {level} AND "index" = {index}'
        data = bytearray(self.sql(f"SELECT hashes FROM tiles WHERE {where}").scalar_one())
        data[entry * HASH_BYTES] ^= 1
        self.sql(f"UPDATE tiles SET hashes = :data WHERE {where}", data=bytes(data))

    def redate_checkpoint(self, size: int, milliseconds: int) -> None:
        """Move the time of a checkpoint."""
        self.sql(
            "UPDATE checkpoints SET sealed_at = sealed_at + :by WHERE site_id = :site AND size = :size",
            size=size, by=milliseconds,
        )  # fmt: skip

    def drop_checkpoint(self, size: int) -> None:
        """Take a checkpoint away."""
        self.sql("DELETE FROM checkpoints WHERE site_id = :site AND size = :size", size=size)

    # What visitors were shown: it stands beside the ledger, not in it.

    def alter_notice(self) -> None:
        """Change what the notice says; it keeps its hash."""
        body = bytes(self.sql("SELECT body FROM notices WHERE site_id = :site").scalar_one())
        assert b"Accept all" in body
        self.sql("UPDATE notices SET body = :body WHERE site_id = :site", body=body.replace(b"Accept all", b"Accept!"))

    def alter_notice_with_its_hash(self) -> None:
        """The same, under the hash of the new text."""
        self.alter_notice()
        body = bytes(self.sql("SELECT body FROM notices WHERE site_id = :site").scalar_one())
        self.sql("UPDATE notices SET hash = :hash WHERE site_id = :site", hash=sha256(body).hexdigest())

    def give_notice_away(self) -> None:
        """Make it another site's."""
        self.sql("UPDATE notices SET site_id = (SELECT id FROM sites WHERE key = 'rival') WHERE site_id = :site")

    def alter_widget(self) -> None:
        """Change the archived code."""
        self.sql("UPDATE widgets SET code = code || ' '")

    def delete_widget(self) -> None:
        """Take the archived code away."""
        self.sql("DELETE FROM widgets")

    def alter_configurations(self, column: str, value: Any) -> None:
        """Change what the code was served with."""
        self.sql(f"UPDATE configurations SET {column} = :value WHERE notice_id IN ({OF_SITE})", value=value)

    def insert_picture(self, png: bytes) -> None:
        """Put a picture in that is not of its hash."""
        self.sql(
            "INSERT INTO pictures (id, notice_id, widget, language, width, hash, png, browser, taken_at) SELECT 9001,"
            " notice_id, widget, language, 390, hash, :png, 'Chromium', served_at FROM configurations"
            f" WHERE notice_id IN ({OF_SITE}) AND language = 'en'",
            png=png,
        )

    def redate_publication(self, at: int) -> None:
        """Move the time since when the notice is said to be shown."""
        self.sql("UPDATE publications SET published_at = :at WHERE site_id = :site", at=at)

    def delete_publication(self) -> None:
        """Say that the notice was never shown."""
        self.sql("DELETE FROM publications WHERE site_id = :site")

    # --- What there is ---

    @property
    def size(self) -> int:
        return int(self.sql("SELECT size FROM ledgers WHERE site_id = :site").scalar_one())

    @property
    def last_row(self) -> int:
        return int(self.sql("SELECT max(id) FROM decisions").scalar_one())

    def row(self, leaf: int) -> int:
        return int(self._of_leaf("decision_row", leaf))

    def commitment(self, leaf: int) -> bytes:
        return bytes(self._of_leaf("commitment", leaf))

    def receipt(self, leaf: int) -> str:
        return self._receipt_of_row(self.row(leaf))

    def salt(self, leaf: int) -> bytes:
        return self._record(self.row(leaf)).salt

    def _column(self, leaf: int, column: str) -> Any:
        return self.sql(f"SELECT {column} FROM decisions WHERE id = :row", row=self.row(leaf)).scalar_one()

    def _of_leaf(self, column: str, leaf: int) -> Any:
        return self.sql(f"SELECT {column} FROM leaves WHERE site_id = :site AND leaf_index = :leaf", leaf=leaf).scalar()

    def _receipt_of_row(self, row: int) -> str:
        return self._record(row).receipt

    def _record(self, row: int) -> Record:
        with Session(self.connection) as session:
            return record(session, row)

    # --- Steps ---

    def _store(self, leaf: int, receipt: str) -> None:
        with Session(self.connection) as session:
            write_receipt(session, self.row(leaf), receipt)

    def _commit_to(self, leaf: int, data: bytes) -> None:
        self._update_leaf(leaf, "commitment", data)

    def _point(self, leaf: int, row: int | None) -> None:
        self._update_leaf(leaf, "decision_row", row)

    def _move_leaf(self, leaf: int, to: int) -> None:
        self._update_leaf(leaf, "leaf_index", to)

    def _update_leaf(self, leaf: int, column: str, value: Any) -> None:
        self.sql(
            f"UPDATE leaves SET {column} = :value WHERE site_id = :site AND leaf_index = :leaf", leaf=leaf, value=value
        )

    def _insert(self, receipt: str, row: int, claims: dict[str, Any]) -> None:
        # In the clear, as an earlier version did: it is read all the same.
        beside = "notice_id, visitor, action, method, change, gpc, stale, language, granted, recorded_at, request_hash"
        self.sql(
            f"INSERT INTO decisions (id, site_id, decision_id, receipt_id, salt, receipt, {beside})"
            f" SELECT :row, site_id, :decision, :receipt_id, :salt, :receipt, {beside} FROM decisions WHERE id = :like",
            row=row, salt=SALT, receipt=receipt, like=self.row(3),
            decision=bytes.fromhex(claims["decision_id"].replace("-", "")),
            receipt_id=bytes.fromhex(claims["jti"].replace("-", "")),
        )  # fmt: skip

    def _signed(self, checkpoint: Checkpoint) -> str:
        key = NoteKey(checkpoint.origin, ED25519, self.ring.public_bytes())
        return format_note(Note(checkpoint.text, (sign_note(checkpoint.text, key, self.ring.sign_bytes),)))


def altered(token: str, **claims: Any) -> str:
    """A token that says something else under the same signature."""
    head, _, signature = token.split(".")
    return ".".join([head, jose.encode(json.dumps(jose.claims(token) | claims).encode()), signature])


Attack = Callable[[Attacker], object]


def then(*steps: Attack) -> Attack:
    """One after the other."""

    def attack(attacker: Attacker) -> None:
        for step in steps:
            step(attacker)

    return attack


def without_key(attack: Attack) -> Attack:
    """With everything that needs no key made to fit: tiles, and checkpoints under a key of the attacker's own."""
    return then(attack, Attacker.rewrite_tiles, Attacker.rewrite_checkpoints)
