"""Remarks on days, for programs and for the page of the rates."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import Schema, ValidationError, fields

from consent_server.access.guard import require_own_page
from consent_server.core.context import context
from consent_server.core.errors import UnknownAnnotation
from consent_server.core.rules_text import read_line
from consent_server.http.answers import Cache, answer
from consent_server.http.bodies import posted_bytes
from consent_server.http.fields import Day, read_body, row_number
from consent_server.rates.annotate import annotate, list_annotations, remove_annotation
from consent_server.rates.rules_annotations import LONGEST

bp = Blueprint("annotations", __name__)


class Line(fields.String):
    """One line of text that people read."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return read_line(super()._deserialize(value, attr, data, **kwargs), LONGEST)
        except ValueError as error:
            raise error if isinstance(error, ValidationError) else ValidationError(f"It {error}.") from error


class AnnotationIn(Schema):
    """What POST …/annotations takes."""

    day = Day(required=True)
    text = Line(required=True)


ANNOTATION_IN = AnnotationIn()


@bp.get("/v1/sites/<key>/annotations")
def annotations(key: str) -> Response:
    """All remarks on days of the site."""
    found = list_annotations(context().database, key)
    return answer({"annotations": [one.to_json() for one in found]}, cache=Cache.NO_STORE)


@bp.post("/v1/sites/<key>/annotations")
def add(key: str) -> Response:
    """Remark on a day."""
    require_own_page()
    given = read_body(ANNOTATION_IN, posted_bytes())
    made = annotate(context().database, key, given["day"], given["text"])
    return answer(made.to_json(), status=201, cache=Cache.NO_STORE)


@bp.delete("/v1/sites/<key>/annotations/<number>")
def remove(key: str, number: str) -> Response:
    """Take a remark back."""
    require_own_page()
    named = row_number(number)
    if named is None:
        raise UnknownAnnotation("An annotation is named by its number.")
    remove_annotation(context().database, key, named)
    return answer(b"", status=204, cache=Cache.NO_STORE)
