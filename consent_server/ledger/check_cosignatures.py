"""Check the witnesses' lines that were kept, as far as the settings name their keys."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from consent_server.core.database import LONG, Database
from consent_server.core.errors import InvalidProof
from consent_server.core.keys import note_verifier
from consent_server.core.notes import parse_note, parse_signatures
from consent_server.core.witnesses import Witness
from consent_server.ledger import store_cosignatures as cosignatures
from consent_server.ledger.rows import CheckpointRow, CosignatureRow
from consent_server.ledger.rules_report import Report
from consent_server.ledger.rules_witness import cosignature_time
from consent_server.sites import store as sites


def check_cosignatures(database: Database, witnesses: Sequence[Witness], now: datetime, key: str) -> Report:
    """Verify every kept cosignature of a site's ledger. Raises UnknownSite."""
    report, unnamed = Report(), Counter[str]()
    known = {(witness.key.name, witness.key.id): witness for witness in witnesses}
    with database.reading(LONG) as session:
        for checkpoint, row in cosignatures.every(session, sites.get(session, key).id):
            witness, cosigned = known.get((row.witness, row.key_id)), f"checkpoints cosigned by {row.witness}"
            if witness is None:
                unnamed[f"{cosigned}: not checked, the settings do not name this key"] += 1
            elif fault := _fault(checkpoint, row, witness, now):
                report.add(f"checkpoint {row.size}", False, f"the cosignature of {row.witness}: {fault}")
            else:
                report.counts[cosigned] += 1
    report.counts.update(unnamed)
    return report


def _fault(checkpoint: CheckpointRow | None, row: CosignatureRow, witness: Witness, now: datetime) -> str | None:
    if checkpoint is None:
        return "the checkpoint is gone"
    try:
        (signature,) = parse_signatures(row.line)
        text, verify = parse_note(checkpoint.note).text, note_verifier(witness.key)
        cosignature_time(text, signature, witness.key, verify, checkpoint.sealed_at, now)
    except (InvalidProof, ValueError) as error:
        return str(error)
    return None
