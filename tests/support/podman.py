"""podman with images, containers and settings of its own, for trying what the checkout says of an image and services.

No image is pulled: the one of Debian is made here of Debian's packages. Health checks are run here too, since podman
leaves them to systemd, which not every machine has. It needs root.
"""

import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# What a sandbox allows: left alone, podman asks for more than such a root may give. Its networks are its own too.
SETTINGS = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
[engine]
runtime = "crun"
"""
# What the image `debian:…-slim` leaves out.
LEFT_OUT = ("doc", "groff", "info", "linda", "lintian", "locale", "man")
PATIENCE = 120
MOUNTED_TWICE = Path("/sys/fs/cgroup/unified")


def leave_mounts() -> None:
    """Before anything is started, in a mount namespace of its own: crun takes one kind of control groups alone."""
    if MOUNTED_TWICE.is_mount():
        subprocess.run(["umount", str(MOUNTED_TWICE)], check=True)


class Podman:
    """One store of images and containers, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "podman.sock"
        (folder / "containers.conf").write_text(SETTINGS.format(folder=folder), "utf-8")
        self._environ = os.environ | {"CONTAINERS_CONF": str(folder / "containers.conf"), "TMPDIR": str(folder)}
        self._program = ["podman", "--root", str(folder / "store"), "--runroot", str(folder / "run")]

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """Run one command; what it prints."""
        done = subprocess.run(
            [*self._program, *arguments], env=self._environ, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"podman {' '.join(arguments)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def refuses(self, *arguments: str) -> bool:
        """Whether a command fails."""
        done = subprocess.run([*self._program, *arguments], env=self._environ, capture_output=True, check=False)
        return done.returncode != 0

    def make_debian(self, suite: str) -> None:
        """The image `debian:SUITE-slim`, of Debian's essential packages."""
        archive = self._folder / f"{suite}.tar"
        excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
        made = ["mmdebstrap", "--quiet", "--variant=minbase", *excluded, suite, str(archive)]
        subprocess.run(made, env=self._environ, check=True)
        self("import", "--change", 'CMD ["bash"]', str(archive), f"docker.io/library/debian:{suite}-slim")
        archive.unlink()

    def build(self, context: Path, tag: str, *options: str) -> None:
        """Run a Dockerfile. In chroots: what a step may do there is the same, and it needs less of the machine."""
        how = ("--isolation=chroot", "--format=docker", "--pull=never", "--layers=false")
        self("build", *how, *options, f"--tag={tag}", str(context))

    def size(self, image: str) -> int:
        """Bytes of an image, unpacked."""
        return int(self("image", "inspect", "--format={{.Size}}", image))

    def await_health(self, container: str) -> None:
        """Wait until a container's own health check passes."""
        wait_until(lambda: not self.refuses("healthcheck", "run", container), lambda: self("logs", container))

    def exit_code(self, container: str) -> int:
        return int(self("inspect", "--format={{.State.ExitCode}}", container))

    @contextmanager
    def served(self) -> Iterator[None]:
        """Answer programs that speak the interface of Docker, and run health checks, while the block runs."""
        ended = threading.Event()
        checks = threading.Thread(target=self._check_health, args=(ended,), daemon=True)
        with subprocess.Popen(
            [*self._program, "system", "service", "--time=0", f"unix://{self.socket}"], env=self._environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as service:  # fmt: skip
            checks.start()
            try:
                wait_until(self.socket.exists, lambda: "podman does not listen")
                yield
            finally:
                ended.set()
                checks.join()
                service.terminate()

    def _check_health(self, ended: threading.Event) -> None:
        while not ended.wait(1):
            for container in self("ps", "--quiet").split():
                self.refuses("healthcheck", "run", container)


class Compose:
    """Docker Compose on a podman that is served."""

    def __init__(self, program: str, folder: Path, podman: Podman) -> None:
        self._folder = folder
        programs = folder.with_name("bin")
        programs.mkdir()
        (programs / "docker").write_text(f'#!/bin/sh\nshift\nexec {program} "$@"\n', "utf-8")
        (programs / "docker").chmod(0o755)
        path = f"{programs}:{os.environ['PATH']}"
        self._environ = os.environ | {"DOCKER_HOST": f"unix://{podman.socket}", "PATH": path}

    def __call__(self, *arguments: str) -> str:
        """Run one command; what it prints."""
        return self.shell(f"docker compose {shlex.join(arguments)}")

    def shell(self, commands: str) -> str:
        """Run commands as a page has them, in the project's folder; what they print."""
        done = subprocess.run(
            ["sh", "-ec", commands], cwd=self._folder, env=self._environ, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout


def wait_until(happened: Callable[[], bool], explain: Callable[[], str]) -> None:
    """Wait for what must come, and say why it may not have."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.2)
