"""Every key of the site file is in the form, or is listed as one that stands only in the file."""

import re
from collections.abc import Iterator
from typing import Any

from marshmallow import fields

from consent_server.editor.form import ONLY_IN_FILE, every_field
from consent_server.sites.site_schema import PolicyUrl, SiteSchema

# One of each list, and one language.
DOCUMENT = {
    "languages": ["en"],
    "vendors": [{"key": "google-ads"}],
    "regions": [{"key": "us"}],
    "experiment": {"arms": [{"name": "a"}]},
}


def leaves(path: str, field: Any) -> Iterator[str]:
    """Paths of a schema to what has no schema below it; "[]" for a list of tables, "*" for a name of one's own."""
    if isinstance(field, fields.Nested):
        for name, inner in field.schema.fields.items():
            yield from leaves(f"{path}.{name}".lstrip("."), inner)
    elif isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        yield from leaves(f"{path}[]", field.inner)
    elif isinstance(field, fields.Dict) and isinstance(field.value_field, fields.Nested):
        yield from leaves(f"{path}.*", field.value_field)
    else:
        assert not isinstance(field, fields.Dict) or isinstance(field.value_field, (fields.String, PolicyUrl)), path
        yield path


def in_form() -> set[str]:
    paths = (re.sub(r"\[\d+\]", "[]", path) for path in every_field(DOCUMENT))
    return {re.sub(r"^texts\.en\.", "texts.*.", path) for path in paths}


def is_only_in_file(path: str) -> bool:
    return any(path == key or path.startswith((f"{key}.", f"{key}[")) for key in ONLY_IN_FILE)


def test_every_key_is_in_the_form_or_listed() -> None:
    known = set(leaves("", fields.Nested(SiteSchema)))
    shown = in_form()
    assert [path for path in sorted(known) if not is_only_in_file(path) and path not in shown] == []
    # Nothing is in the form that the file does not know, or that is listed as not in it.
    assert sorted(shown - known) == []
    assert [path for path in sorted(shown) if is_only_in_file(path)] == []


def test_what_is_listed_is_there() -> None:
    known = set(leaves("", fields.Nested(SiteSchema)))
    for key in ONLY_IN_FILE:
        assert [path for path in known if path == key or path.startswith((f"{key}.", f"{key}["))], key
