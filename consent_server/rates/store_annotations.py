"""Remarks on days of a site."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consent_server.rates.rows import AnnotationRow
from consent_server.rates.rules_annotations import Annotation


def add(session: Session, site_id: int, day: str, text: str) -> Annotation:
    """Keep a remark."""
    row = AnnotationRow(site_id=site_id, day=day, text=text)
    session.add(row)
    session.flush()
    return _annotation(row)


def between(session: Session, site_id: int, first: str, last: str) -> list[Annotation]:
    """Those of these days, in their order."""
    query = select(AnnotationRow).where(AnnotationRow.site_id == site_id)
    inside = query.where(AnnotationRow.day >= first, AnnotationRow.day <= last)
    return [_annotation(row) for row in session.scalars(inside.order_by(AnnotationRow.day, AnnotationRow.id))]


def remove(session: Session, site_id: int, number: int) -> bool:
    """Let one go; False where the site has none of this number."""
    own = (AnnotationRow.site_id == site_id, AnnotationRow.id == number)
    return session.scalar(delete(AnnotationRow).where(*own).returning(AnnotationRow.id)) is not None


def _annotation(row: AnnotationRow) -> Annotation:
    return Annotation(row.id, row.day, row.text)
