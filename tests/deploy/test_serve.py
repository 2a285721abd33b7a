"""`consent serve`, and what the command says when it cannot."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask.cli import ScriptInfo

from consent_server.app import start
from consent_server.cli import COMMANDS, SECTIONS, consent
from tests.support.postgresql import PostgreSQL
from tests.support.process import free_port
from tests.support.served import Server

SERVE = ("-P", "-m", "consent_server", "serve", "--workers", "1")


def run(*args: str, **environ: str) -> Result:
    """A command in this process, as one types it."""
    return CliRunner(env=environ).invoke(consent, args, obj=ScriptInfo(create_app=start))


def test_the_help_tells_our_commands_in_a_sentence_each_and_needs_no_settings(tmp_path: Path) -> None:
    done = run("--help", CONSENT_INSTANCE=str(tmp_path / "none"), CONSENT_DATABASE_URL="wrong")
    assert done.exit_code == 0
    shown = [line.split()[0] for line in done.output.splitlines() if line.startswith("  ") and line[2:3].islower()]
    assert {command.name for command in COMMANDS} <= set(shown)
    assert set(shown).isdisjoint({"run", "shell", "routes", "db"})
    assert all(f"{title}:" in done.output for title in SECTIONS)
    assert list(tmp_path.iterdir()) == []


def test_whoever_checks_a_receipt_with_published_keys_gets_no_folder(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(run("key", "new").stdout, "utf-8")
    (tmp_path / "receipt.jws").write_text("x.y.z", "utf-8")
    files = [str(tmp_path / "receipt.jws"), "--jwks", str(tmp_path / "keys.json")]
    assert run("receipt", "verify", *files, CONSENT_INSTANCE=str(tmp_path / "none")).exit_code == 1
    assert not (tmp_path / "none").exists()


def commands(group: click.Group = consent) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def test_every_command_says_in_a_sentence_what_it_does() -> None:
    said = {command.name: (command.help or "").partition("\n\n")[0] for command in commands()}
    assert {name: first for name, first in said.items() if not first.endswith(".")} == {}


def test_a_port_that_is_taken_is_said_with_another_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (["serve"], ["demo"]):
            done = run(*command, "--port", str(port), CONSENT_INSTANCE=str(tmp_path / "none"))
            assert (done.exit_code, done.stdout) == (1, "")
            assert done.stderr.startswith(f"Something else listens on 127.0.0.1:{port}. ")
            assert done.stderr.rstrip().endswith(f"--port {port + 1}")
    assert list(tmp_path.iterdir()) == []


def test_server_and_shop_need_a_port_each() -> None:
    port = str(free_port())
    done = run("demo", "--port", port, "--shop-port", port)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Server and shop need a port each.")


def test_a_command_in_another_folder_than_the_server_s_is_said(tmp_path: Path) -> None:
    done = run("site", "list", CONSENT_INSTANCE=str(tmp_path / "elsewhere"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("The database is empty. Run this in the folder in which `consent serve` was started")


def test_an_address_of_another_machine_is_said(tmp_path: Path) -> None:
    done = run("serve", "--host", "192.0.2.1", CONSENT_INSTANCE=str(tmp_path / "none"))
    assert done.exit_code == 1
    assert done.stderr.startswith("192.0.2.1:8000 is no address of this machine")


def test_a_misspelt_setting_is_said_with_the_one_that_is_meant(tmp_path: Path) -> None:
    done = run("vendor", "list", CONSENT_PUBLIC_ULR="https://shop.example")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "CONSENT_PUBLIC_ULR is no setting of this server and has no effect. Did you mean `CONSENT_PUBLIC_URL`?"
    ]


def settings_of(url: str, folder: Path) -> dict[str, str]:
    keys = folder / "keys"
    keys.write_text(run("key", "new").stdout, "utf-8")
    return {
        "CONSENT_DATABASE_URL": url, "CONSENT_SECRET_KEY": "x" * 32, "CONSENT_SIGNING_KEYS_FILE": str(keys),
        "CONSENT_INSTANCE": str(folder),
    }  # fmt: skip


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["migrate"], ["site", "list"]])
def test_a_database_that_is_away_is_said_with_its_cause(command: list[str], tmp_path: Path) -> None:
    away = settings_of(f"postgresql+psycopg://consent:TELLTALE@127.0.0.1:{free_port()}/consent", tmp_path)
    done = run(*command, **away)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "onnection refused" in done.stderr
    assert "TELLTALE" not in done.stderr


@pytest.mark.slow
def test_two_that_start_together_on_an_empty_database_both_serve(postgresql: PostgreSQL, tmp_path: Path) -> None:
    postgresql.execute("CREATE DATABASE empty")
    environ = settings_of(postgresql.url("empty"), tmp_path) | {"PORT": "0", "PATH": "/usr/bin:/bin"}
    with ThreadPoolExecutor(2) as pool:
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        servers = list(pool.map(lambda folder: Server(environ, folder, SERVE), folders))
    try:
        assert [server.ask("GET", "/readyz")[0] for server in servers] == [200, 200]
    finally:
        for server in servers:
            server.stop()
