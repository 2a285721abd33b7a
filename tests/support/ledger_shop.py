"""The shop's ledger, as its visitors, its operator and its auditors meet it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from consent_server.audit.export import export_evidence
from consent_server.core.context import Context
from consent_server.decisions.record import RecordDecision, Recorded
from consent_server.decisions.rules import Action
from consent_server.decisions.rules_visit import Visit
from consent_server.ledger.check import check_ledger
from consent_server.ledger.rows import CheckpointRow
from consent_server.ledger.rules_report import Report
from consent_server.ledger.seal import seal_ledger
from consent_server.receipts.erase_visitor import erase_visitor
from consent_server.sites.current_site import CurrentSites
from tests.support.factories import PUBLIC_URL, Clock, answer
from tests.support.verify_bench import Bench, Outcome
from tests.support.visitor import identifier

# When the proofs of the fixed cast's records end: theirs are kept for three years.
PROOFS_END = timedelta(days=3 * 366 + 1)


class Shop:
    """The shop's ledger: what its visitors and its operator do, and what both kinds of check then say."""

    def __init__(self, services: Context, clock: Clock, folder: Path) -> None:
        self.services, self.clock, self.bench = services, clock, Bench(folder)
        self.made: list[Recorded] = []

    def decide(self, site: str = "shop", **changes: Any) -> Recorded:
        """A visitor accepts everything."""
        self.clock.advance(seconds=1)
        current = self.services[CurrentSites].get(site)
        grants = dict.fromkeys(current.notice.purposes, True)
        said = answer(
            current.notice, **{"decision_id": uuid4(), "action": Action.ACCEPT_ALL, "grants": grants} | changes
        )
        self.made.append(self.services[RecordDecision](current, said, Visit()))
        return self.made[-1]

    def fill(self) -> None:
        """Twelve records under checkpoints of 4, 8 and 12 leaves. Leaf 12 removed leaf 1, under one of 13."""
        self.decide_and_seal(3)
        assert self.erase(self.made[1]) == 1

    def decide_and_seal(self, times: int = 1) -> None:
        """Four records under a checkpoint, so many times."""
        for _ in range(times):
            for _ in range(4):
                self.decide()
            self.seal()

    def seal(self) -> None:
        """As the server does every few seconds."""
        seal_ledger(self.services.database, self.services.keys.ring, self.clock)

    def erase(self, made: Recorded) -> int:
        """As the operator does when a visitor asks for it."""
        our = self.services
        return erase_visitor(our.database, our.keys, PUBLIC_URL, self.clock, our.random, identifier(made.visitor))

    def checkpoints(self, site: str = "shop") -> list[str]:
        """Every checkpoint so far, as somebody outside may have kept them."""
        return [row.note for row in self.sealed(site)]

    def sealed(self, site: str = "shop") -> list[CheckpointRow]:
        """Every checkpoint with its time, oldest first."""
        site_id = self.services[CurrentSites].get(site).site_id
        query = select(CheckpointRow).where(CheckpointRow.site_id == site_id).order_by(CheckpointRow.size)
        with self.services.database.reading() as session:
            return list(session.scalars(query))

    @property
    def site(self) -> int:
        return self.services[CurrentSites].get("shop").site_id

    def check(self, *kept: str) -> Report:
        """`consent ledger check`."""
        return check_ledger(self.services.database, self.services.keys.ring, "shop", kept)

    def export(self) -> Path:
        """`consent evidence export`."""
        path = self.bench.folder / "pack.zip"
        our = self.services
        path.write_bytes(
            b"".join(export_evidence(our.database, our.keys.ring, PUBLIC_URL, self.clock, "shop", None, None))
        )
        return path

    def verify(self, *kept: str) -> Outcome:
        """The pack's own script, with bare Python."""
        feed = self.bench.keep("kept.jsonl", "".join(json.dumps({"note": note}) + "\n" for note in kept))
        return self.bench.check(self.export(), *(["--checkpoint", feed] if kept else []))
