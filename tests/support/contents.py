"""Whoever owns the database has the keys of its records too, and can write over what they say."""

from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.orm import Session

from consent_server.decisions import store as decisions
from consent_server.decisions import store_record_keys as record_keys
from consent_server.decisions.encryption import decrypt, encrypt
from consent_server.decisions.rows import DecisionRow
from consent_server.decisions.rules_contents import Record, commitment
from consent_server.decisions.rules_record_keys import key_of


def record(session: Session, row_id: int) -> Record:
    """A record by its row id."""
    return decisions.opened(session, [session.get_one(DecisionRow, row_id, populate_existing=True)])[0]


def write_receipt(session: Session, row_id: int, receipt: str) -> None:
    """Put another receipt into a record, as the server would have stored it. Its update trigger must be away."""
    row = session.get_one(DecisionRow, row_id, populate_existing=True)
    assert row.content is not None
    assert row.key_chunk is not None
    assert row.key_slot is not None
    key = key_of(
        record_keys.nodes_of(session, [(row.site_id, row.key_chunk)])[row.site_id, row.key_chunk], row.key_slot
    )
    assert key is not None
    place = (row.site_id, row.key_chunk, row.key_slot)
    content = decrypt(row.content, key, *place)
    assert content is not None
    written = replace(content, receipt=receipt)
    session.execute(
        text("UPDATE decisions SET content = :content, commitment = :data WHERE id = :row"),
        {"content": encrypt(written, key, *place), "data": commitment(content.salt, receipt), "row": row_id},
    )
