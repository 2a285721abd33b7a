"""The page of a scan: whatever a site calls its cookies is text, and nothing is loaded from anywhere."""

import base64
import hashlib
import re
from dataclasses import replace

from consent_server.scans.rules import Owner, State
from consent_server.scans.write_page import scan_page
from consent_server.scans.write_text import scan_lines
from tests.support.scans import cookie, request, scan

HOSTILE = '<img src=x onerror="alert(1)">'


def test_what_a_site_says_is_text() -> None:
    done = scan(before=[cookie(HOSTILE), request(f"{HOSTILE}.test", Owner())])
    page = scan_page(replace(done, unseen=(HOSTILE,)))
    assert HOSTILE not in page
    assert "<img" not in page


def test_it_needs_nothing_else_and_lets_nothing_in() -> None:
    page = scan_page(replace(scan(before=[request()]), pictures={State.BEFORE: b"\xff\xd8"}))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in page.replace("&#39;", "'")
    assert re.findall(r'(?:src|href)="([^"]{9})', page) == ["data:imag"]
    assert "<script" not in page
    assert " style=" not in page


def test_the_lines_tell_the_findings_and_what_was_not_looked_at() -> None:
    done = replace(scan(before=[request()]), unseen=("The banner stays.",))
    lines = list(scan_lines(done))
    assert any(line.startswith("wrong") and "Meta pixel" in line for line in lines)
    assert lines[-1].strip() == "The banner stays."
