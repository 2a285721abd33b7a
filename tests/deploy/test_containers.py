"""Dockerfile and compose file agree with what the server knows, and with one another."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from consent_server.core.keys import KeyRing
from consent_server.core.resources import ROOT
from consent_server.core.settings import NAMES
from tests.support.process import free_port
from tests.support.served import Start

MAKE_SECRETS = ROOT / "deploy" / "compose" / "make-secrets"
# The Python of Debian's releases that the image may stand on.
PYTHON = {"bookworm": (3, 11), "trixie": (3, 13)}
# What compose.yaml says by itself: where the database is and where the secrets are. No browser is in the image.
ANSWERED = {
    "CONSENT_INSTANCE", "CONSENT_DATABASE_URL", "CONSENT_SECRET_KEY", "CONSENT_SIGNING_KEYS", "CONSENT_SECRET_KEY_FILE",
    "CONSENT_SIGNING_KEYS_FILE", "CONSENT_CHROMIUM",
}  # fmt: skip


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]


@pytest.fixture(scope="module")
def last(steps: list[tuple[str, str]]) -> dict[str, str]:
    """What each instruction said last: what the image has."""
    return dict(steps)


@pytest.fixture(scope="module")
def environment(last: dict[str, str]) -> dict[str, str]:
    """The variables of the image."""
    return dict(word.split("=", 1) for word in last["ENV"].split())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """compose.yaml, with what its services share put in."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return found


def settings(compose: dict[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = compose["services"]["server"]["environment"]
    return found


# The image


def test_debian_has_the_python_that_the_package_asks_for(steps: list[tuple[str, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    least = tuple(int(part) for part in project["requires-python"].removeprefix(">=").split("."))
    assert least <= PYTHON[dict(rest.split("=") for word, rest in steps if word == "ARG")["DEBIAN"]]


def test_the_build_is_given_what_the_wheel_is_made_of_and_no_records() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")
    ]
    assert first == "*"
    given = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert needed <= given
    assert given.isdisjoint({"instance", "instance-demo", "sites", ".env", ".git", "tests"})
    assert "**/instance" in rules


def test_the_image_serves_where_it_says(last: dict[str, str], environment: dict[str, str]) -> None:
    assert environment["PORT"] == last["EXPOSE"]
    assert environment["CONSENT_INSTANCE"] == last["VOLUME"] == last["WORKDIR"]
    assert {name for name in environment if name.startswith("CONSENT_")} <= NAMES


def test_the_image_runs_as_a_user_that_has_a_number(steps: list[tuple[str, str]], last: dict[str, str]) -> None:
    user, group = last["USER"].split(":")
    made = " ".join(rest for word, rest in steps if word == "RUN")
    assert f"useradd --uid {user} " in made
    assert f"groupadd --gid {group} " in made
    assert int(user) >= 1000


@pytest.mark.parametrize("served", [True, False])
def test_the_health_check_tells_a_server_from_none(last: dict[str, str], start: Start, served: bool) -> None:
    _, _, command = last["HEALTHCHECK"].partition(" CMD ")
    _, *arguments = yaml.safe_load(command)
    port = start().port if served else free_port()
    # The image's own Python is another one. A proxy is not for what is on the same machine.
    environ = {"PORT": str(port), "http_proxy": "http://127.0.0.1:9/"}
    done = subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, timeout=60, check=False)
    assert (done.returncode == 0) is served


# The compose file


def test_every_setting_can_be_given_and_no_other(compose: dict[str, Any]) -> None:
    ours = {name: value for name, value in settings(compose).items() if name.startswith("CONSENT_")}
    assert ours.keys() <= NAMES
    assert ours.keys() | ANSWERED == NAMES
    for name in ours.keys() - ANSWERED:
        # One without a value has that of `.env`.
        assert ours[name] is None or str(ours[name]).startswith(f"${{{name}:-")


def test_every_variable_of_the_compose_files_is_on_the_page(compose: dict[str, Any]) -> None:
    files = [ROOT / "compose.yaml", ROOT / "deploy" / "compose" / "own-web-server.yaml"]
    read = set(re.findall(r"\$\{(\w+)", "".join(path.read_text("utf-8") for path in files)))
    page = (ROOT / "docs" / "docker.md").read_text("utf-8")
    rows = "".join(re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE))
    assert read <= set(re.findall(r"`(\w+)`", rows))


def test_every_service_is_confined_and_one_is_published(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["web"]
    assert all(str(port).startswith("${PUBLISH_") for port in compose["services"]["web"]["ports"])
    assert compose["services"]["database"]["networks"] == ["inside"]
    assert compose["networks"]["inside"]["internal"]


def test_the_services_wait_for_one_another(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                # The server's own check is the image's.
                assert other == "server" or "test" in services[other]["healthcheck"], (name, other)
            else:
                assert services[other]["restart"] == "no", (name, other)


def test_the_compose_file_fits_the_image(
    compose: dict[str, Any], last: dict[str, str], environment: dict[str, str]
) -> None:
    services = compose["services"]
    assert f"data:{environment['CONSENT_INSTANCE']}" in services["server"]["volumes"]
    assert services["database"]["group_add"] == [last["USER"].partition(":")[2]]
    port = environment["PORT"]
    assert f"reverse_proxy server:{port} " in (ROOT / "deploy" / "compose" / "Caddyfile").read_text("utf-8")
    own = yaml.safe_load((ROOT / "deploy" / "compose" / "own-web-server.yaml").read_text("utf-8"))
    assert own["services"]["server"]["ports"][0].endswith(f":{port}")
    for service in services.values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or source == "./sites" or (ROOT / source).is_file(), volume


# The secrets


def make_secrets(folder: Path) -> str:
    """Run the script as the service of that name does; what it prints."""
    (folder.parent / "bin").mkdir(exist_ok=True)
    consent = folder.parent / "bin" / "consent"
    consent.write_text(f'#!/bin/sh\nexec {sys.executable} -m consent_server "$@"\n', "utf-8")
    consent.chmod(0o755)
    environ = {"PATH": f"{consent.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", str(MAKE_SECRETS)], cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_secrets_are_made_once(compose: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "secret-key").write_text("brought along", "utf-8")
    make_secrets(folder)
    made = {path.name: (path.read_text("utf-8"), stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}
    KeyRing.from_jwks(made["signing-keys.json"][0]).require_private()
    assert made["secret-key"][0] == "brought along"
    password, mode = made["database-password"]
    assert (len(password.strip()) >= 32, mode) == (True, 0o640)
    # In this form libpq splits at colons.
    assert made["pgpass"] == (f"*:*:*:consent:{password}", 0o600)
    assert ":" not in password
    assert made["signing-keys.json"][1] == 0o600
    assert make_secrets(folder) == ""
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == {
        name: text for name, (text, _) in made.items()
    }
    named = {Path(str(value)).name for value in settings(compose).values() if str(value).startswith("/etc/consent/")}
    named.add(Path(compose["services"]["database"]["environment"]["POSTGRES_PASSWORD_FILE"]).name)
    assert named == made.keys()
