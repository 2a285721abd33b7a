"""What of a record must be gone, and whether it is: in each form, in every file of the database."""

import base64
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from consent_server.core.notes import open_checkpoint
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.record import Recorded
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_contents import commitment
from consent_server.decisions.rules_record_keys import HEIGHT, SLOTS, children
from consent_server.decisions.store import is_of
from consent_server.ledger.rules import leaf_hash, verify_inclusion
from consent_server.receipts.prove import Proof, prove_receipt
from tests.support.ledger_shop import Shop
from tests.support.postgresql import PostgreSQL
from tests.support.visitor import identifier


def page(number: int) -> str:
    """The path of a page that one visitor alone was on."""
    return sha256(b"page %d" % number).hexdigest()


Files = Callable[[], bytes]


@pytest.fixture
def files(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Files:
    """Every byte that the database keeps in files: of SQLite its log and index of the log too, of PostgreSQL all
    tables, indexes and statistics. The write-ahead log of PostgreSQL is the operator's to let go (docs/deploy.md).
    """
    if dialect == "sqlite":
        return lambda: b"".join(path.read_bytes() for path in tmp_path.glob("consent.sqlite3*"))
    server: PostgreSQL = request.getfixturevalue("postgresql")

    def read() -> bytes:
        # What is still in shared memory alone, and files that wait to be unlinked.
        server.execute("CHECKPOINT", "consent")
        with psycopg.connect(host=str(server.folder), user="consent", dbname="consent") as connection:
            found = connection.execute("SELECT oid FROM pg_database WHERE datname = 'consent'").fetchone()
        assert found
        folder = server.folder / "data" / "base" / str(found[0])
        return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    return read


def traces(made: Recorded, path: str) -> dict[str, bytes]:
    """What of a record must be nowhere, in each form that it has anywhere."""
    head, payload, signature = made.receipt.split(".")
    decision = made.decision.answer.decision_id
    ids = {"visitor": identifier(made.visitor), "receipt id": made.receipt_id, "decision": decision}
    found = {"payload": payload.encode()[40:], "signature": signature.encode(), "page": path.encode()}
    for name, value in ids.items():
        assert isinstance(value, UUID)
        found |= {
            f"{name} in text": str(value).encode(),
            f"{name} in hex": value.hex.encode(),
            f"{name} in bytes": value.bytes,
        }
    # Base64 of the same text looks otherwise at each of three offsets; its middle does not depend on what is around.
    for name, plain in (("visitor", str(identifier(made.visitor)).encode()), ("page", path.encode())):
        for offset in range(3):
            encoded = base64.urlsafe_b64encode(b"x" * offset + plain).rstrip(b"=")
            found[f"{name} in base64 at {offset}"] = encoded[4:-4]
    assert len(head) > 40
    return found


def key_traces(shop: Shop, made: Recorded) -> dict[str, bytes]:
    """What is encrypted of a record, and every secret that is kept or was and leads to its key."""
    with shop.services.database.reading() as session:
        row = session.scalars(select(DecisionRow).where(is_of(DecisionRow.receipt_tag, [made.receipt_id]))).one()
        assert row.content is not None
        assert row.key_chunk is not None
        assert row.key_slot is not None
        chunk = (row.site_id, row.key_chunk)
        nodes = dict(record_keys.nodes_of(session, [chunk])[chunk])
    path = [(SLOTS + row.key_slot) >> height for height in range(HEIGHT, -1, -1)]
    for node in path:
        if node in nodes and node < SLOTS:
            nodes |= children(node, nodes[node])
    return {f"secret of node {node}": nodes[node] for node in path if node in nodes}


def still_there(files: Files, of: dict[str, bytes]) -> list[str]:
    data = files()
    return [name for name, value in of.items() if value in data]


def holds(shop: Shop, made: Recorded, proof: Proof, site: str = "shop") -> None:
    """A receipt with its proof, checked against its checkpoint by nothing but the key."""
    checkpoint = open_checkpoint(proof.checkpoint, shop.services.keys.ring.note_keys(f"consent.example/ledger/{site}"))
    leaf = leaf_hash(commitment(proof.salt, made.receipt))
    verify_inclusion(leaf, proof.leaf_index, checkpoint.size, proof.hashes, checkpoint.root)


def prove(shop: Shop, made: Recorded) -> Proof:
    return prove_receipt(shop.services.database, str(made.receipt_id))
