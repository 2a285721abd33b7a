"""What bench/ posts is what the server records: a load of refusals would be measured as one of decisions."""

import re
from uuid import uuid4

from flask import Flask

from consent_server.core.resources import ROOT
from tests.support.sites import Apply

BENCH = ROOT / "bench"


def test_the_load_of_decisions_is_recorded(bare_app: Flask, apply_site: Apply) -> None:
    notice = apply_site((BENCH / "shop.toml").read_text("utf-8"))
    script = (BENCH / "post_decision.lua").read_text("utf-8")
    made = re.search(r"string\.format\(\s*((?:'[^']*'(?:\s*\.\.\s*)?)+), uuid\(\), site\.notice\)", script)
    address = re.search(r'wrk\.format\("POST", "([^"]+)" \.\. site\.key \.\. "([^"]+)"', script)
    headers = dict(re.findall(r'\["([\w-]+)"\] = "([^"]+)"', script))
    assert made, "post_decision.lua makes its body in another way."
    assert address
    body = "".join(re.findall(r"'([^']*)'", made[1])) % (uuid4(), notice)
    answer = bare_app.test_client().post(f"{address[1]}shop{address[2]}", data=body, headers=headers)
    assert answer.status_code == 201, answer.text
