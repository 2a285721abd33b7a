"""The wheel, built from the files that are here, and unpacked as pip would have it."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from consent_server.core.resources import ROOT

CONSENT = ("-P", "-m", "consent_server")


def build(kind: str, source: Path, folder: Path) -> Path:
    """The wheel or the sdist of a folder with sources."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def wheel_of_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that somebody builds who has the sdist alone."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, folder / "built")) as sources:
        sources.extractall(folder / "sources", filter="data")
    (sources_of,) = (folder / "sources").iterdir()
    return build("wheel", sources_of, folder / "wheel")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a program that finds the wheel's files before those of the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path_factory.mktemp("made")), "PYTHONPATH": str(folder)}
