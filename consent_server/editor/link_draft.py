"""The signed address of a draft, or of the file in force, for a frame, in which no session counts."""

from flask import url_for

from consent_server.core.context import context
from consent_server.core.errors import UnknownSite
from consent_server.editor.open_draft import open_draft
from consent_server.editor.rules import version

PURPOSE = "draft-preview"


def draft_link(key: str, named: str) -> str:
    """Where the frame of this version (rules.py) of a site's file is."""
    return url_for("draft_preview.saved", link=context().signer(PURPOSE).sign(f"{key}:{named}"))


def linked_text(link: str) -> str | None:
    """The draft or the file in force that a link of ours leads to; None where neither is that one by now."""
    key, _, named = (context().signer(PURPOSE).read(link) or "").partition(":")
    try:
        opened = open_draft(context().database, key)
    except UnknownSite:
        return None
    files = (opened.draft, opened.applied)
    return next((file.text for file in files if file and version(file.text) == named), None)
