"""A scan in words, for a terminal."""

from collections.abc import Iterator

from consent_server.scans.rules import Scan, State
from consent_server.scans.rules_summary import verdicts

MARKS = {"good": "ok", "wrong": "wrong", "note": "note", "unseen": "unseen", "none": "-"}


def scan_lines(scan: Scan) -> Iterator[str]:
    """The answers, then the findings with what was seen of each, then what could not be looked at."""
    pages = scan.seen[State.BEFORE].pages
    count = f"{len(pages)} page{'s' if len(pages) > 1 else ''}"
    banner = f"banner: {scan.banner.tool}" if scan.banner else "no banner"
    yield f"{', '.join(scan.starts)}: {count} in {scan.seconds:g} s, {banner}"
    yield ""
    for verdict in verdicts(scan):
        yield f"{MARKS[verdict.answer]:<7} {verdict.question} {verdict.said}"
    for finding in scan.findings:
        yield ""
        yield f"{finding.level.value:<7} {finding.said}"
        for line in finding.evidence:
            yield f"          {line}"
    if scan.unseen:
        yield ""
        yield "Could not be looked at:"
        for said in scan.unseen:
            yield f"  {said}"
