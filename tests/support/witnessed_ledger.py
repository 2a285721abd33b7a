"""The shop's ledger, in the hands of its operator."""

from dataclasses import dataclass, replace

from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from consent_server.core import append_only
from consent_server.core.context import Context
from consent_server.core.witnesses import Witness as Set
from consent_server.core.witnesses import parse_witnesses
from consent_server.ledger.rows import CosignatureRow
from consent_server.ledger.seal import seal_ledger
from consent_server.ledger.witness import Witnessed, witness_ledger
from tests.support.factories import RIVAL, SHOP, Body, Clock
from tests.support.visitor import post
from tests.support.witness import Witness

ORIGIN = "consent.example/ledger/shop"
ORIGINS = {"shop": SHOP, "rival": RIVAL}


@dataclass
class Ledger:
    """What its operator can do, lawful and not."""

    services: Context
    client: FlaskClient
    body: Body
    clock: Clock

    def grow(self, records: int, site: str = "shop") -> None:
        """Record decisions and seal them."""
        for _ in range(records):
            notice = self.client.get(f"/v1/sites/{site}/notice").headers["ETag"].strip('"')
            assert post(self.client, self.body(notice=notice), site, ORIGINS[site]).status_code == 201
        self.seal()

    def seal(self) -> None:
        """Seal what is new."""
        self.clock.advance(seconds=5)
        seal_ledger(self.services.database, self.services.keys.ring, self.services.now)

    def ask(self, *witnesses: Witness, key: str | None = None) -> list[Witnessed]:
        """One turn of the server."""
        named = tuple(replace(as_set(one), name=one.name) for one in witnesses)
        return list(witness_ledger(self.services.database, named, self.services.now, key))

    def note(self) -> str:
        """The newest checkpoint as it is served."""
        return self.client.get("/ledger/shop/checkpoint").get_data(as_text=True)

    def kept(self) -> list[CosignatureRow]:
        """The lines in the database."""
        with self.services.database.reading() as session:
            return list(session.scalars(select(CosignatureRow).order_by(CosignatureRow.size)))

    def rewrite(self, without: int) -> None:
        """Make the ledger anew without its first records: what triggers refuse, an operator can still do."""
        with self.services.database.transaction() as session:
            disarm(session, self.services.database.embedded)
            for table in ("cosignatures", "leaves", "tiles", "checkpoints"):
                session.execute(text(f"DELETE FROM {table}"))
            first = text("DELETE FROM decisions WHERE id IN (SELECT id FROM decisions ORDER BY id LIMIT :count)")
            session.execute(first, {"count": without})
            session.execute(text("UPDATE ledgers SET size = 0, decisions_to = 0"))
        self.services.keys.guard.signed.path.unlink()
        self.seal()


def as_set(witness: Witness) -> Set:
    (found,), faults = parse_witnesses(witness.line)
    assert faults == ()
    return found


def disarm(session: Session, embedded: bool) -> None:
    if not embedded:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        return
    for name in append_only.names(session.connection()):
        session.execute(text(f"DROP TRIGGER {name}"))
