"""Who withdraws or asks for erasure while nothing can be written is answered as soon as who decides."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from consent_server.core import group_commit
from tests.support.factories import Body
from tests.support.faults import write_lock
from tests.support.visitor import post


@pytest.mark.usefixtures("real_waits")
@pytest.mark.parametrize("right", ["withdrawal", "erasure"])
def test_a_right_is_exercised_or_refused_in_time(
    client: FlaskClient, body: Body, tmp_path: Path, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "REST", 0)
    receipt = urlsplit(post(client, body()).get_json()["receipt_url"]).path
    own = {"Origin": "https://consent.example", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    with write_lock(tmp_path / "consent.sqlite3"):
        begun = time.monotonic()
        answer = client.post(f"{receipt}/{right}", headers=own)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        assert time.monotonic() - begun < 15
    assert client.post(f"{receipt}/{right}", headers=own).status_code == 303
