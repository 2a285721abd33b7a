"""Makes one of everything that leaves the product, so that later versions can be held to reading it.

Run it with the code of the version to be kept, once, before that version is replaced:

    .venv/bin/python -m tests.compat.make tests/compat/made-by-VERSION

The site files in the folder's `sites/` are read, all else in it is written anew; start with a copy of an earlier
version's. Ids of the bodies, users' passwords, the first signing key and the steps of the clock are the same in each
run; the hour, salts, tokens and the rotated key are not.
It needs what the tests need: Node, Chromium, PostgreSQL and openssl.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask_migrate import upgrade
from joserfc.jwk import OKPKey

from consent_server.app import create_app
from tests.compat.dump import dump_database
from tests.compat.making import BOTH, MEDIA, NO_MEDIA, NONE, PUBLIC_URL, REFUSE, SAVE, Made
from tests.support.timestamp_authority import Maker, TimestampAuthority
from tests.support.witness import Witness

ROOT = Path(__file__).parent.parent.parent
# An authority stamps with the time of the machine, and a pack's timestamps are not later than the pack: the story ends
# when it is told.
START = datetime.now(UTC).replace(second=0, microsecond=250_000) - timedelta(hours=22)
SECRET_KEY = "a secret of the tests, known to everybody"
PEOPLE = {"operator": (), "marketer": ("shop",), "auditor": ("shop",)}
# `shop` is published twice: the second time with one more vendor, and words of its own.
FIRST = ("shop-first", "callbell", "experiment", "promoted", "regrouped", "recipients", "colours", "logo", "quiet")
# Nobody answers so many views without a reason.
UNANSWERED = 510
RATES = ("day", "hour", "language", "device", "notice")


# The story


def tell(made: Made, witness: Witness) -> None:
    """Two days of the sites."""
    for name in FIRST:
        made.apply(name)
    invite(made)
    public = made.get("/.well-known/jwks.json").get_json()["keys"]
    witness.knows("consent.example/ledger/shop", OKPKey.import_key(public[0]).public_key.public_bytes_raw())
    first_day(made)
    made.now[0] += timedelta(hours=20)
    made.run("key", "rotate")
    newest = made.get("/.well-known/jwks.json").get_json()["keys"][-1]
    witness.knows("consent.example/ledger/shop", OKPKey.import_key(newest).public_key.public_bytes_raw())
    second_day(made)
    made.now[0] += timedelta(minutes=30)
    made.run("ledger", "seal")
    made.run("ledger", "witness", "shop")
    made.run("ledger", "timestamp", "shop")
    made.now[0] = datetime.now(UTC).replace(microsecond=250_000) + timedelta(seconds=1)
    made.run("notice", "picture", "quiet")


def invite(made: Made) -> None:
    made.about |= {"users": {}, "tokens": {}, "sessions": {}}
    for role, sites in PEOPLE.items():
        options = [option for site in sites for option in ("--site", site)]
        email = f"{role}@shop.example"
        link = made.run("user", "create", email, "--role", role, *options).strip()
        made.set_password(email, link)
        made.about["tokens"][role] = made.run(
            "token", "create", "--role", role, *options, "--name", f"{role} of the tests"
        ).strip()
    made.about["tokens"]["revoked"] = made.run("token", "create", "--role", "operator", "--name", "revoked").strip()
    made.run("token", "revoke", "4")
    made.about["open_link"] = made.run("user", "create", "late@shop.example", "--role", "auditor").strip()


def first_day(made: Made) -> None:
    made.show("shop", "shop-first", 12)
    made.show("shop", "shop-first", 3, "fr")
    accepted = made.decide("accept_all")
    made.decide("refuse_all", **REFUSE)
    made.decide("save", **SAVE)
    made.decide("with-vendors", **SAVE, vendors={"meta-pixel": True})
    made.decide("gpc", action="gpc", method="signal", grants=NONE, gpc=True)
    made.decide("gpc-with-grants", gpc=True)
    made.decide("french", language="fr", page="https://shop.example/tarifs/été")
    made.now[0] += timedelta(minutes=5)
    made.decide("change", **SAVE, visitor=accepted["visitor"], change=True)
    erased = made.decide("erased")
    made.decide("erased-change", **SAVE, visitor=erased["visitor"], change=True)
    conversions: dict[str, Any] = {"notice": made.notices["shop-first"], "language": "en"}
    conversions |= {"sent": {"google-ads": 2}, "blocked": {"meta-pixel": 1}}
    made.post("/v1/sites/shop/conversions", conversions, 204)
    for arm in ("", " box", " title"):
        made.show("experiment", f"experiment{arm}", 4)
        made.decide(f"experiment{arm.replace(' ', '-')}", "experiment", f"experiment{arm}")
    made.decide(
        "regrouped", "regrouped", "regrouped", grants={"advertising": False, "measurement": True}, action="save"
    )
    made.show("promoted", "promoted green", 2)
    made.show("quiet", "quiet", 1)
    made.run("ledger", "seal")
    made.run("ledger", "witness", "shop")
    made.run("visitor", "erase", str(erased["visitor"]))
    made.run("ledger", "seal")
    made.work("counters")


def second_day(made: Made) -> None:
    made.about["sessions"] = {role: made.sign_in(f"{role}@shop.example") for role in PEOPLE}
    made.work("counters")
    made.apply("shop")
    made.decide("stale", notice="shop-first")
    made.decide("second-notice", notice="shop", grants=BOTH | MEDIA)
    changed = made.receipts["change"]["answer"]["visitor"]
    made.decide(
        "withdraw", notice="shop", action="withdraw", method="api", grants=NONE | NO_MEDIA, visitor=changed, change=True
    )
    path = "/console/sites/promoted/experiment"
    made.submit("operator", path, path, experiment="accent", arm="green")
    asked = made.receipts["french"]["answer"]["receipt_url"].removeprefix(PUBLIC_URL)
    response = made.app.test_client().post(f"{asked}/erasure", base_url=PUBLIC_URL)
    assert response.status_code == 202, response.text
    made.get("/v1/sites/shop/decisions?action=save", **made.token("auditor"))
    made.show("quiet", "quiet", UNANSWERED)
    made.work("counters", "alerts", "deliveries")
    # These stay in the inbox of counters.
    made.show("shop", "shop", 5)
    share_reports(made)


def share_reports(made: Made) -> None:
    page = "/console/sites/shop/rates"
    days = {"from": f"{START.date()}", "to": f"{made.now[0].date()}", "by": "day", "lifetime": "90"}
    links: dict[str, str] = {}
    for name in ("these", "latest"):
        shared = made.submit("marketer", page, f"{page}/link", days=name, **days)
        links[name] = re.findall('value="(https://[^"]+/reports/[^"]+)"', shared.text)[0]
    made.about["reports"] = links


# What is kept of it


def keep(made: Made) -> None:
    """Everything that left the server, and lastly one decision that is not sealed."""
    keep_ledger(made)
    made.run("evidence", "export", "shop", "-o", str(made.folder / "evidence.zip"))
    for name in FIRST:
        keep_configuration(made, name.removesuffix("-first"))
    keep_receipts(made)
    made.decide("unsealed", notice="shop", **REFUSE | {"grants": NONE | NO_MEDIA})
    keep_receipt(made, "unsealed")
    made.write_json("receipts.json", made.receipts)
    made.write_json("notices.json", made.notices)
    span = f"from={START.date() - timedelta(days=3)}&to={made.now[0].date()}"
    paths = [f"/v1/sites/shop/rates?{span}&by={by}" for by in RATES]
    rates = {path: made.get(path, **made.token("marketer")).get_json() for path in paths}
    made.write_json("rates.json", rates)
    found = made.get("/v1/sites/experiment/experiment", **made.token("operator")).get_json()
    made.write_json("experiment.json", found)
    made.write_json("openapi.json", made.get("/openapi.json").get_json())
    made.write("keys/jwks.json", made.get("/.well-known/jwks.json").data)
    for cookie, value in zip(made.cookies, by_widget(made.cookies), strict=True):
        cookie["by_widget"] = value
    made.write_json("cookies.json", made.cookies)
    made.about |= {"public_url": PUBLIC_URL, "made_at": made.now[0].isoformat()}


def keep_ledger(made: Made) -> None:
    made.write("ledger/checkpoint", made.get("/ledger/shop/checkpoint").data)
    made.write("ledger/checkpoints.jsonl", made.get("/ledger/shop/checkpoints").data)
    size = int(made.get("/ledger/shop/checkpoint").text.splitlines()[1])
    tile = f"/ledger/shop/tile/0/000.p/{size}"
    made.write_json("ledger/tiles.json", {tile: made.get(tile).data.hex()})
    listed = made.get("/ledger/shop/timestamps").get_json()
    made.write_json("ledger/timestamps.json", listed)
    for item in listed["items"]:
        made.write(f"ledger/timestamps/{item['digest']}.tsr", made.get(item["url"].removeprefix(PUBLIC_URL)).data)


def keep_configuration(made: Made, key: str) -> None:
    """What the widget is called with in English, and the hash by which its code is archived."""
    parts = {"main": "", "preferences": "/preferences", "details": "/details"}
    scripts = {part: made.get(f"/widget/{key}{path}.js").text.splitlines() for part, path in parts.items()}
    code = sha256("\n".join(lines[0].removesuffix("(") for lines in scripts.values()).encode()).hexdigest()
    kept = {"widget": code, **{part: json.loads(lines[1]) for part, lines in scripts.items()}}
    assert code.startswith(kept["main"]["widget"])
    made.write_json(f"configurations/{key}.json", kept)


def keep_receipts(made: Made) -> None:
    for name in made.receipts:
        if name.startswith("erased"):
            made.write(f"receipts/{name}.jws", made.receipts[name]["answer"]["receipt"])
        else:
            keep_receipt(made, name)
            link = made.receipts[name]["answer"]["receipt_url"].removeprefix(PUBLIC_URL)
            made.write(f"receipts/{name}.proof.json", made.get(f"{link}/proof").data)


def keep_receipt(made: Made, name: str) -> None:
    answer = made.receipts[name]["answer"]
    link = answer["receipt_url"].removeprefix(PUBLIC_URL)
    made.write(f"receipts/{name}.jws", answer["receipt"])
    for form in ("json", "jsonld"):
        made.write(f"receipts/{name}.{form}", made.get(f"{link}?format={form}").data)


def by_widget(cookies: Iterable[dict[str, Any]]) -> list[str]:
    """The same choices as the widget's own code writes them."""
    (module,) = (ROOT / "static" / "widget" / "src").glob("**/cookie.ts")
    script = """
        import { build } from "esbuild";
        const bundled = { bundle: true, write: false, format: "esm" };
        const { outputFiles } = await build({ entryPoints: [process.argv[1]], ...bundled });
        const code = Buffer.from(outputFiles[0].contents).toString("base64");
        const { encode } = await import("data:text/javascript;base64," + code);
        console.log(JSON.stringify(JSON.parse(process.argv[2]).map(encode)));
    """
    choices = json.dumps([cookie["choice"] for cookie in cookies])
    command = ["node", "--input-type=module", "-e", script, str(module), choices]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    values: list[str] = json.loads(done.stdout)
    return values


def main(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in ("sites", "README.md"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        now = [START]
        (folder / "keys").mkdir()
        key = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
        signing_keys = folder / "keys" / "signing-keys.json"
        signing_keys.write_text(json.dumps({"keys": [key.as_dict(private=True)]}), "utf-8")
        (folder / "keys" / "secret-key").write_text(SECRET_KEY, "utf-8")
        maker = Maker(scratch / "authority")
        shutil.copy(maker.roots, folder / "keys" / "timestamp-root.pem")
        authority = stack.enter_context(TimestampAuthority(maker.reply))
        signer = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
        witness = stack.enter_context(Witness(lambda: now[0], signer=signer))
        # Where it listened in that run means nothing later.
        (folder / "keys" / "witnesses").write_text(witness.line.replace(witness.url, "http://127.0.0.1:9/"), "utf-8")
        os.environ |= {
            "CONSENT_INSTANCE": str(scratch),
            "CONSENT_DATABASE_URL": f"sqlite:///{scratch / 'consent.sqlite3'}",
            "CONSENT_SECRET_KEY": SECRET_KEY,
            "CONSENT_SIGNING_KEYS_FILE": str(signing_keys),
            "CONSENT_PUBLIC_URL": PUBLIC_URL,
            "CONSENT_RATE_LIMIT": "1000000 per minute",
            "CONSENT_WITNESSES": witness.line,
            "CONSENT_TIMESTAMP_URL": authority.url,
            "CONSENT_TIMESTAMP_ROOTS_FILE": str(maker.roots),
            # Nobody listens there: the alert stays due.
            "CONSENT_ALERT_WEBHOOK": "http://127.0.0.1:9/",
            "CONSENT_ALERT_SECRET": "whsec_" + "A" * 43 + "=",
        }
        app = create_app(now=lambda: now[0])
        with app.app_context():
            upgrade()
        made = Made(app, folder, now)
        made.about["witness"] = witness.vkey
        tell(made, witness)
        keep(made)
        made.write_json("about.json", made.about)
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
        dump_database(scratch / "consent.sqlite3", folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
