"""The content policy that a site is told: enough for its vendors and the widget, and nothing that it did not limit."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from consent_server.sites import catalogue
from tests.support.factories import ADS, ANALYTICS, PUBLIC_URL, TOP, TYPEFORM, VENDORS, site_file
from tests.support.sites import Apply
from tests.support.vendors import EVERY_VENDOR

OWN = (
    '[[vendors]]\nkey = "heat-map"\nname = "H"\npurposes = ["analytics"]\npolicy_url = "https://h.example/p"\n'
    '[vendors.operator]\nname = "H"\naddress = "A"\ncountry = "DE"\n'
)
LIMITED = {"script-src", "img-src", "connect-src", "frame-src"}


@pytest.fixture
def csp(bare_app: Flask, apply_site: Apply) -> Callable[..., list[str]]:
    """The lines that the command prints for a site file."""

    def run(text: str, *options: str) -> list[str]:
        apply_site(text)
        result = bare_app.test_cli_runner().invoke(args=["csp", "shop", *options])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return run


def directives(header: str) -> dict[str, set[str]]:
    name, _, policy = header.partition(": ")
    assert name in ("Content-Security-Policy", "Content-Security-Policy-Report-Only")
    parts = [part.split() for part in policy.split("; ")]
    assert len({part[0] for part in parts}) == len(parts)
    return {part[0]: set(part[1:]) for part in parts}


def test_every_vendor_and_the_widget_may_do_what_they_need(csp: Callable[..., list[str]]) -> None:
    header, *remarks = csp(site_file(vendors=EVERY_VENDOR))
    policy = directives(header)
    assert policy.keys() == LIMITED
    assert all("'self'" in sources for sources in policy.values())
    assert PUBLIC_URL in policy["script-src"] & policy["connect-src"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:"} & policy["script-src"]
    for key, vendor in catalogue.vendors().items():
        assert any(line.startswith(f"# {key}: ") for line in remarks), key
        for directive, sources in vendor.get("csp", {}).items():
            if directive in LIMITED:
                assert set(sources) <= policy[directive], key
            else:
                # Named, and not limited for the rest of the site.
                others = next(line for line in remarks if line.startswith("# Where your policy has"))
                assert all(source in others.split(directive, 1)[1] for source in sources), key


def test_nothing_is_allowed_for_a_vendor_that_the_site_has_not(csp: Callable[..., list[str]]) -> None:
    header, *remarks = csp(site_file(vendors=ANALYTICS))
    known = {
        PUBLIC_URL,
        "'self'",
        *(s for sources in catalogue.vendors()["google-analytics"]["csp"].values() for s in sources),
    }
    assert {source for sources in directives(header).values() for source in sources} == known
    assert not any("typeform" in line for line in remarks)


def test_a_vendor_with_two_ids_is_named_once(csp: Callable[..., list[str]]) -> None:
    lines = csp(site_file(vendors=ANALYTICS + ANALYTICS.replace("ABCD", "EFGH") + ADS))
    assert sum(line.startswith("# google-analytics: ") for line in lines) == 1


def test_what_is_not_known_is_said(csp: Callable[..., list[str]]) -> None:
    lines = csp(site_file(vendors=f"{TYPEFORM}{OWN}"))
    assert [line for line in lines if "heat-map" in line] == ["# heat-map: not known; add what its code asks for"]
    assert "style-src https://embed.typeform.com" in lines[-3]


def test_a_nonce_is_named(csp: Callable[..., list[str]]) -> None:
    assert "# script-src 'nonce-RANDOM' 'strict-dynamic'" in csp(site_file(vendors=VENDORS))


def test_one_that_only_reports(csp: Callable[..., list[str]]) -> None:
    enforced, reported = csp(site_file()), csp(site_file(), "--report")
    assert re.sub("^Content-Security-Policy:", "Content-Security-Policy-Report-Only:", enforced[0]) == reported[0]
    assert enforced[1:] == reported[1:]


def test_a_logo_in_the_data_may_be_shown(csp: Callable[..., list[str]]) -> None:
    logo = '[banner.logo]\nurl = "data:image/png;base64,iVBORw0KGgo="\nalt = ""\n'
    assert "data:" in directives(csp(site_file(f"{TOP}{logo}"))[0])["img-src"]


def test_a_site_that_is_not_there_is_refused(bare_app: Flask) -> None:
    result = bare_app.test_cli_runner().invoke(args=["csp", "nobody"])
    assert result.exit_code == 1
    assert "nobody" in result.stderr
