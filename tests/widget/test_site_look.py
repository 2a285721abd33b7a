"""Pages about a notice look as its site does."""

import re

from flask.testing import FlaskClient

from tests.support.factories import VENDORS, Body, site_file
from tests.support.receipt_page import page
from tests.support.sites import Apply
from tests.support.visitor import post

LOGO = "https://shop.example/logo.svg"
SITE = site_file(
    vendors=f"""\
[banner]
radius = 16
logo = {{ url = "{LOGO}", alt = "Shop" }}
colours = {{ accent = "#b3123f" }}
{VENDORS}"""
)
POLICY = "Content-Security-Policy"


def test_receipt_declaration_and_choice_have_the_sites_look(client: FlaskClient, apply_site: Apply) -> None:
    notice = apply_site(SITE)
    receipt = page(client, dict(post(client, Body(notice)()).json or {}))
    sheet = f"/v1/notices/{notice}/look.css"
    declaration, choice = (
        client.get(f"/sites/shop/{name}", headers={"Accept": "text/html"}) for name in ("declaration", "choice")
    )
    for text in (receipt, declaration.text, choice.text):
        assert f'href="{sheet}"' in text
        assert re.search(rf'<img [^>]*src="{LOGO}" alt="Shop">', text)
    # The site's own server learns of it, and nobody else.
    assert "img-src 'self' data: https://shop.example;" in declaration.headers[POLICY]
    styled = client.get(sheet)
    assert (styled.status_code, styled.mimetype) == (200, "text/css")
    assert "--accent:#b3123f" in styled.text
    again = client.get(sheet, headers={"If-None-Match": styled.headers["ETag"]})
    assert again.status_code == 304
    assert client.get(f"/v1/notices/{'0' * 64}/look.css").status_code == 404


def test_a_site_without_a_logo_lets_no_other_server_learn_of_it(client: FlaskClient, notice: str) -> None:
    assert "img-src 'self' data:;" in client.get("/sites/shop/declaration?format=html").headers[POLICY]
    assert POLICY not in client.get("/sites/shop/declaration?format=json").headers
