"""Errors of other consent managers that no other test here would catch."""

import re
from html import unescape
from pathlib import Path

import pytest
from flask import Flask

from consent_server.core.errors import InvalidSiteFile
from consent_server.sites import catalogue
from consent_server.sites.site_file import read_site_file
from tests.support.factories import ANALYTICS, TOP, site_file
from tests.support.sites import Apply
from tests.support.vendors import IDS

ROOT = Path(__file__).parents[2]


def test_no_page_has_a_vendor_in_noscript() -> None:
    """It would be asked without a choice: by a browser that runs no script there is none."""
    looked = 0
    for folder in ("static/widget/dist", "examples", "consent_server", "docs"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix not in (".html", ".js", ".md", ".toml"):
                continue
            text = path.read_text("utf-8")
            looked += 1
            assert "ns.html" not in text, path
            assert "noscript=1" not in text, path
            for inside in re.findall(r"<noscript>(.*?)</noscript>", text, re.S):
                assert not re.search(r"src\s*=|url\(", inside), path
    assert looked > 20


def test_nothing_loads_before_a_choice_unless_the_operator_says_so() -> None:
    assert read_site_file(site_file())["mode"] == "basic"


def test_whoever_looks_is_told_which_mode_a_site_is_in(bare_app: Flask, apply_site: Apply) -> None:
    texts = catalogue.locales()["en"]["notice_page"]
    for mode, other in (("basic", "advanced"), ("advanced", "basic")):
        notice = apply_site(site_file(f'{TOP}mode = "{mode}"\n'))
        page = unescape(bare_app.test_client().get(f"/v1/notices/{notice}?format=html").text)
        assert texts[f"mode_{mode}"] in page
        assert texts[f"mode_{other}"] not in page


def test_a_container_is_not_necessary() -> None:
    with pytest.raises(InvalidSiteFile) as refused:
        read_site_file(
            site_file(vendors='[[vendors]]\nkey = "google-tag-manager"\nid = "GTM-AB12"\npurposes = ["necessary"]\n')
        )
    assert [fault.pointer for fault in refused.value.faults] == ["vendors[0].purposes[0]"]


@pytest.mark.parametrize("key", [key for key, own in IDS.items() if own])
@pytest.mark.parametrize("more", [r"\n", " ", "'", r"\u0000"])
def test_an_id_is_matched_as_a_whole(key: str, more: str) -> None:
    with pytest.raises(InvalidSiteFile) as refused:
        read_site_file(site_file(vendors=f'[[vendors]]\nkey = "{key}"\nid = "{IDS[key]}{more}"\n'))
    assert [fault.pointer for fault in refused.value.faults] == ["vendors[0].id"]
    assert read_site_file(site_file(vendors=ANALYTICS))
