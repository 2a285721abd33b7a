"""What pages load from their rooms: what stands in a folder of assets, and nothing beside it."""

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    "name", ["tokens.css", "page.css", "console.css", "rates.css", "preview.js", "verify.js", "dist/rates.js"]
)
def test_an_asset_of_any_room_is_served(client: FlaskClient, name: str) -> None:
    with client.get(f"/assets/{name}") as answer:
        assert answer.status_code == 200
        assert answer.mimetype in ("text/css", "text/javascript")


@pytest.mark.parametrize(
    "name",
    ["rules.py", "__init__.py", "templates/frame.html", "../app.py", "assets/console.css", "x"],
)
def test_nothing_else_of_a_room_is(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404
