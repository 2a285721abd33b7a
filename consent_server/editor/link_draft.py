"""The signed address of a draft as it was saved, for a frame, in which no session counts."""

from flask import url_for

from consent_server.core.context import context
from consent_server.core.errors import UnknownSite
from consent_server.editor.open_draft import open_draft

PURPOSE = "draft-preview"


def draft_link(key: str, version: str) -> str:
    """Where the frame of this version of the draft is."""
    return url_for("draft_preview.saved", link=context().signer(PURPOSE).sign(f"{key}:{version}"))


def linked_text(link: str) -> str | None:
    """The file that a link of ours leads to; None where it is not ours, or the file is another by now."""
    key, _, version = (context().signer(PURPOSE).read(link) or "").partition(":")
    try:
        opened = open_draft(context().database, key)
    except UnknownSite:
        return None
    return opened.text if opened.version == version else None
