"""What the tests of receipts share."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.factories import Body
from tests.support.visitor import post


@pytest.fixture
def grant(client: FlaskClient, body: Body) -> dict[str, Any]:
    """The answer to a grant, in French."""
    found: dict[str, Any] = post(client, body.choice(True, False, language="fr")).get_json()
    return found
