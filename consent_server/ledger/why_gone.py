"""Why a receipt that was signed here has no record any more."""

from collections.abc import Mapping
from typing import Any

from consent_server.core.database import Session
from consent_server.core.keys import KeyRing
from consent_server.ledger import store as ledgers
from consent_server.ledger.check_leaves import TOLERANCE, read_remarks
from consent_server.ledger.rules_remark import Remark
from consent_server.sites import store as sites


def why_gone(session: Session, ring: KeyRing, claims: Mapping[str, Any]) -> str:
    """In words that follow "it is not on record here": a restore lost it, as a signed entry says; else erasure may."""
    stored = sites.find(session, str(claims["site"]))
    if stored is not None:
        origin = ledgers.get(session, stored.id).origin
        for remark in read_remarks(session, ring, stored.id, stored.site.key, origin).all:
            if _lost(session, stored.id, remark, claims):
                said = f"the database was restored from a backup (leaf {remark.leaf_index} says so)"
                return f"{said}, and the record of it was lost"
    return "it may have been erased"


def _lost(session: Session, site_id: int, remark: Remark, claims: Mapping[str, Any]) -> bool:
    gap = remark.gap
    if gap is None or claims["ledger"] != gap.ledger or claims["iat"] > remark.at + TOLERANCE:
        return False
    last = ledgers.newest_checkpoint(session, site_id, below=gap.restored + 1)
    return last is None or bool(claims["iat"] >= last.sealed_at.timestamp() - TOLERANCE)
