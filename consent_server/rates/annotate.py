"""Write down what happened on a day, beside the rates, and take it back."""

from datetime import date

from consent_server.core.database import Database
from consent_server.core.errors import UnknownAnnotation
from consent_server.rates import store_annotations as annotations
from consent_server.rates.rules_annotations import Annotation
from consent_server.sites import store as sites


def annotate(database: Database, key: str, day: date, text: str) -> Annotation:
    """Keep a remark on a day of a site. Raises UnknownSite."""
    with database.transaction() as session:
        return annotations.add(session, sites.get(session, key).id, day.isoformat(), text)


def list_annotations(database: Database, key: str) -> list[Annotation]:
    """All of a site, by day. Raises UnknownSite."""
    with database.reading() as session:
        site_id = sites.get(session, key).id
        return annotations.between(session, site_id, date.min.isoformat(), date.max.isoformat())


def remove_annotation(database: Database, key: str, number: int) -> None:
    """Let one go. Raises UnknownSite, UnknownAnnotation."""
    with database.transaction() as session:
        if not annotations.remove(session, sites.get(session, key).id, number):
            raise UnknownAnnotation(f"This site has no annotation {number}. To list all: consent annotation list {key}")
