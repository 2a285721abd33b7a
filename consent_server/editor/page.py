"""What the page of the form shows: each field with what stands in it, what is wrong there, and what others saved."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent_server.core.errors import Fault
from consent_server.editor.fill_in import Given, given_text, placed_faults, shown
from consent_server.editor.form import Block, Field, Kind, Section, sections, site_languages
from consent_server.editor.open_draft import faults_of
from consent_server.sites import catalogue
from consent_server.sites.site_file import read_document


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field as it stands on the page. `theirs` is what somebody else saved there meanwhile."""

    field: Field
    value: str
    fault: str = ""
    theirs: str | None = None

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return anchor(self.field.path)

    @property
    def options(self) -> Sequence[tuple[str, str]]:
        """What can be chosen; of languages, those of the site first."""
        if self.field.kind is not Kind.LANGUAGES:
            return self.field.options
        ticked = [key for key in self.value.split("\n") if key in catalogue.locales()]
        others = [key for key in catalogue.locales() if key not in ticked]
        return [(key, catalogue.locales()[key]["meta"]["name"]) for key in (*ticked, *others)]


@dataclass(frozen=True, slots=True)
class Summed:
    """A line of the summary of what is to be mended: where it leads, and in which line of the file it is."""

    label: str
    detail: str
    anchor: str
    line: int | None


@dataclass(frozen=True, slots=True)
class FormPage:
    """The whole form. `wrong` are fields and blocks in which something is to be mended or seen, `open` their parts."""

    sections: Sequence[Section]
    fields: Mapping[str, ShownField]
    summary: Sequence[Summed]
    open: frozenset[str]
    wrong: frozenset[str]
    told: Mapping[str, str]
    languages: Sequence[str]
    faults: Mapping[str, str]

    def told_of(self, block: Block) -> str:
        """What is wrong with a block in none of its fields."""
        return self.faults.get(block.path, "")

    def inside(self, block: Block) -> str:
        """What stands in a block that is folded: its values, or what holds without them."""
        shown = (self.fields[field.path].value or field.default for field in block.fields[:3])
        return " · ".join(value.replace("\n", ", ") for value in shown if value)


def anchor(path: str) -> str:
    """The id of a field or a block on the page."""
    return "f-" + re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-")


def form_page(text: str, key: str, given: Given | None = None) -> FormPage:
    """The form for this text; with `given`, as somebody sent it. Raises InvalidSiteFile for what is no TOML."""
    document = read_document(text)
    parts = sections(document)
    known = [field for part in parts for field in part.every_field()]
    blocks = [block.path for part in parts for block in part.blocks]
    labels = {field.path: field.label for field in known} | {
        block.path: block.title for part in parts for block in part.blocks
    }
    placed = placed_faults(faults_of(text, key), text, [*labels])
    told: dict[str, str] = {}
    for fault, place, _ in placed:
        told.setdefault(place, _said(fault, place))
    fields = {field.path: _shown(field, document, given, told.get(field.path, "")) for field in known}
    summary = [
        Summed(_label(place, labels, blocks) or fault.pointer, fault.detail, anchor(place) if place else "", line)
        for fault, place, line in placed
    ]
    meanwhile = {path for path, one in fields.items() if one.theirs is not None}
    wrong = frozenset({path for path in told if path} | meanwhile)
    languages = site_languages(document)
    return FormPage(parts, fields, summary, _open(parts, wrong), wrong, _told(document), languages, told)


def _said(fault: Fault, place: str) -> str:
    inside = fault.pointer[len(place) :].lstrip(".")
    # A block is called by its key.
    return f"{inside}: {fault.detail}" if inside not in ("", "key") else fault.detail


def _label(place: str, labels: Mapping[str, str], blocks: Sequence[str]) -> str:
    around = next((block for block in blocks if place.startswith(f"{block}.")), None)
    return f"{labels[around]}, {labels[place]}" if around else labels.get(place, "")


def _shown(field: Field, document: Mapping[str, Any], given: Given | None, fault: str) -> ShownField:
    stored = shown(field, document)
    if given is None or field.path not in given:
        return ShownField(field, stored, fault)
    sent = given_text(field, given)
    return ShownField(field, sent, fault, stored if sent != stored else None)


def _open(parts: Sequence[Section], wrong: frozenset[str]) -> frozenset[str]:
    return frozenset(
        part.key
        for part in parts
        if wrong & {*(field.path for field in part.every_field()), *(block.path for block in part.blocks)}
    )


def _told(document: Mapping[str, Any]) -> dict[str, str]:
    """What is said beside the name of a folded section."""

    def count(key: str, one: str) -> str:
        found = document.get(key)
        many = len(found) if isinstance(found, list) else 0
        return f"{many} {one}{'' if many == 1 else 's'}"

    controller, banner, experiment = (_table(document, key) for key in ("controller", "banner", "experiment"))
    changed = len(_table(document, "texts"))
    return {
        "asks": str(controller.get("name", "")),
        "vendors": count("vendors", "vendor"),
        "words": f"changed in {changed} language{'' if changed == 1 else 's'}" if changed else "built-in",
        "look": str(banner.get("layout", "bar")),
        "where": f"{count('origins', 'host')}, {count('regions', 'region')}",
        "keep": f"{document.get('choice_days', 180)} days",
        "languages": count("languages", "language"),
        "experiment": str(experiment.get("key", "none")),
    }


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}
