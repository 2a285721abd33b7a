"""Files that commands write: whole or not there, and never in place of what is no plain file."""

import os
import stat
import threading
from pathlib import Path

import pytest

from consent_server.core.files import replace_secret, write_once, write_whole


def write(path: Path, data: bytes) -> None:
    with write_whole(path) as file:
        file.write(data)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_of_two_that_overlap_the_later_whole_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    with write_whole(path) as first:
        first.write(b"first, half")
        with write_whole(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
        first.write(b" and whole")
    assert path.read_bytes() == b"first, half and whole"
    assert names(tmp_path) == {"pack.zip"}


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    write(path, b"whole")

    def fail() -> None:
        with write_whole(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == {"pack.zip"}


def test_the_mode_is_that_of_the_file_before_or_what_the_umask_leaves(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    write(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o600)
    write(path, b"again")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(there: bool, tmp_path: Path) -> None:
    target, link = tmp_path / "packs" / "pack.zip", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link.symlink_to("packs/pack.zip")
    write(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(target.parent) == {"pack.zip"}


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe, b"new")
    reader.join(20)
    assert read == [b"new"]
    assert pipe.is_fifo()
    assert names(tmp_path) == {"pipe"}


def test_a_device_is_written_to() -> None:
    master, slave = os.openpty()
    device = Path(os.ttyname(slave))
    try:
        write(device, b"new")
        assert os.read(master, 100) == b"new"
        assert device.is_char_device()
    finally:
        os.close(master)
        os.close(slave)


def test_a_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write(Path("-"), b"\x00new")
    assert capfdbinary.readouterr().out == b"\x00new"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "pack.zip"
    with pytest.raises(FileNotFoundError) as refused:
        write(path, b"new")
    assert refused.value.filename == str(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_secret_that_root_replaces_stays_whose_it_was(tmp_path: Path) -> None:
    path, link = tmp_path / "secret", tmp_path / "link"
    write_once(path, "one")
    os.chown(path, 12345, 23456)
    path.chmod(0o440)
    link.symlink_to(path)
    replace_secret(link, "two")
    found = path.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (12345, 23456, 0o440)
    assert path.read_text() == link.read_text() == "two"
    assert link.is_symlink()
    assert {file.name for file in tmp_path.iterdir()} == {"secret", "link"}


def test_a_secret_is_written_once_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    for text in ("one", "two"):
        write_once(path, text)
        assert path.read_text() == "one"
    replace_secret(path, "three")
    assert path.read_text() == "three"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret"]
