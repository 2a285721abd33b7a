"""Show a notice as it was shown: archived code, called with what it was served with; and pictures of that."""

from consent_server.core.database import Database
from consent_server.core.errors import UnknownPicture
from consent_server.core.hashes import SHA256_HEX
from consent_server.sites import store_configurations as configurations
from consent_server.sites import store_notices as notices
from consent_server.sites import store_pictures as pictures
from consent_server.sites.configure_widget import called
from consent_server.sites.store_pictures import TakenPicture


def replay_notice(database: Database, notice_hash: str, widget: str, language: str) -> dict[str, str]:
    """The scripts, by their part, byte for byte as pages once loaded them that showed this notice by this code.

    Raises UnknownWidget, UnknownConfiguration.
    """
    with database.reading() as session:
        # What is no hash is no name of code; PostgreSQL would not even take a NUL.
        code = notices.widget_code(session, widget if SHA256_HEX.fullmatch(widget) else "")
        served = configurations.newest(session, notice_hash, widget, language)
    # As many as there were at that time.
    lines = zip(code.split("\n"), served.parts.items(), strict=True)
    return {part: called(expression, text) for expression, (part, text) in lines}


def widgets_of(database: Database, notice_hash: str) -> list[str]:
    """Hashes of the code that is known to have shown this notice, newest first."""
    with database.reading() as session:
        return configurations.widgets(session, notice_hash)


def pictures_of(database: Database, notice_hash: str, widget: str, language: str) -> list[TakenPicture]:
    """The pictures of a notice by this code in this language, widest first."""
    with database.reading() as session:
        return pictures.of_notice(session, notice_hash, widget, language)


def read_picture(database: Database, notice_hash: str, picture_hash: str) -> bytes:
    """A picture (PNG) of this notice, by its SHA-256. Raises UnknownPicture."""
    if not (SHA256_HEX.fullmatch(notice_hash) and SHA256_HEX.fullmatch(picture_hash)):
        raise UnknownPicture("Notices and pictures are named by 64 lower-case hex digits.")
    with database.reading() as session:
        return pictures.png(session, notice_hash, picture_hash)
