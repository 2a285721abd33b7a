"""Join widget code and notice into the scripts that a site's pages load, compressed once per version."""

import gzip
import threading
from dataclasses import dataclass
from functools import cached_property

import brotli

from consent_server.core.hashes import sha256_hex
from consent_server.sites.configure_widget import called, configure_debug
from consent_server.sites.current_site import CurrentSite
from consent_server.sites.widget_code import debug_code, declaration_code


@dataclass(frozen=True)
class Script:
    """A served script: the same bytes for everyone who asks for this version in this language."""

    text: str
    language: str

    @cached_property
    def identity(self) -> bytes:
        """As it is."""
        return self.text.encode()

    @cached_property
    def br(self) -> bytes:
        """Brotli (RFC 7932) at its best."""
        return bytes(brotli.compress(self.identity, mode=brotli.MODE_TEXT, quality=11))

    @cached_property
    def gzip(self) -> bytes:
        """Gzip (RFC 1952), without a time in it, so that equal scripts have equal bytes."""
        return gzip.compress(self.identity, 9, mtime=0)

    @cached_property
    def etag(self) -> str:
        """Names the version; each encoding adds its own name, since a strong tag is of bytes."""
        return sha256_hex(self.identity)[:32]


class ServeWidget:
    """Makes the scripts of a site, and keeps those of the notice in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str, str], tuple[CurrentSite, Script]] = {}

    def main(self, current: CurrentSite, language: str) -> Script:
        """What a page loads: code, this site's notice in one language, and nothing else."""
        return self._script("main", current, language)

    def preferences(self, current: CurrentSite, language: str) -> Script:
        """What is loaded when a visitor opens the preferences: layer two with every purpose and vendor."""
        return self._script("preferences", current, language)

    def details(self, current: CurrentSite, language: str) -> Script:
        """What is loaded for whatever is looked at later: cookies of a vendor, one's own choice, stand-ins."""
        return self._script("details", current, language)

    def declaration(self, current: CurrentSite, language: str) -> Script:
        """What fills a site's own page with its declaration: the same in every language."""
        return self._script("declaration", current, language)

    def debug(self, current: CurrentSite, language: str) -> Script:
        """What shows a page's developers how consent works in it."""
        return self._script("debug", current, language)

    def _script(self, part: str, current: CurrentSite, language: str) -> Script:
        key = (part, current.site.key, current.region, language)
        with self._lock:
            made = self._made.get(key)
            if made is None or not _same(made[0], current):
                made = (current, _make(part, current, language))
                self._made[key] = made
        return made[1]


def _same(one: CurrentSite, other: CurrentSite) -> bool:
    return one is other or (one.widget == other.widget and one.configurations == other.configurations)


def _make(part: str, current: CurrentSite, language: str) -> Script:
    if part == "declaration":
        script = Script(called(declaration_code(), f'"{current.site.key}"'), language)
    elif part == "debug":
        script = Script(called(debug_code(), configure_debug(current.notice, language)), language)
    else:
        script = Script(called(current.widget.parts[part], current.configurations[language].parts[part]), language)
    # Compressed here and now, under the lock: once per version and never per request.
    _ = script.br, script.gzip
    return script
