"""Builds all that goes out with a version into a folder, from the commit that is checked out: `make release`.

The same commit gives the same bytes. Nothing is published: at the end stands what the owner does next.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.output.json import JsonV1Dot6

from docs.bill_of_materials import bill
from release import changelog
from release.places import PLUGIN, ROOT, agreed
from release.refused import Refused, refusing

TEMPLATE = "integrations/gtm"
NOTES, SUMS = "RELEASE_NOTES.md", "SHA256SUMS"
NEXT = """
{folder}/ has version {version}. Nothing was published. What comes next is yours:

  (cd {folder} && sha256sum --check {sums})
  git tag --sign v{version} --cleanup=verbatim --file {folder}/{notes} && git push origin v{version}
  the forge's page of releases: {notes} as its text, every other file attached
  twine upload {folder}/*.whl {folder}/*.tar.gz
  npm publish {folder}/consent-server-embed-{version}.tgz --access public
  the plug-in directory of WordPress: the zip, unpacked, as trunk and as tags/{version}
  the gallery of Tag Manager: the template's zip, unpacked, in its own repository; then its commit in metadata.yaml

Then keep what this version leaves, so that later ones are held to reading it: CONTRIBUTING.md, "A release".
"""


def release(root: Path, folder: Path) -> str:
    """Fill a folder with what goes out, and say which version it is."""
    require_clean(root)
    version = agreed(root)
    notes = changelog.notes((root / "CHANGELOG.md").read_text("utf-8"), version)
    committed_at = int(git(root, "log", "-1", "--format=%ct"))
    # As files of others on every machine, whatever is usual on this one.
    os.umask(0o022)
    os.environ["SOURCE_DATE_EPOCH"] = str(committed_at)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        tree = export(root, Path(scratch) / "consent-server")
        build_python(tree, folder)
        build_npm(root, tree, folder)
        at = datetime.fromtimestamp(committed_at, UTC)
        pack(tree / PLUGIN, folder / f"consent-server-wordpress-{version}.zip", "consent-server", at)
        pack(tree / TEMPLATE, folder / f"consent-server-gtm-{version}.zip", "", at)
        materials = JsonV1Dot6(bill(at)).output_as_string(indent=1)
    (folder / f"consent-server-{version}.cdx.json").write_text(materials + "\n", "utf-8")
    (folder / NOTES).write_text(notes, "utf-8")
    write_sums(folder)
    return version


def git(root: Path, *command: str) -> str:
    return subprocess.run(["git", *command], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def require_clean(root: Path) -> None:
    """What is built is what is committed, so that anybody can build it again."""
    if changed := git(root, "status", "--porcelain"):
        raise Refused(f"Commit these first, or put them away:\n{changed}")


def export(root: Path, tree: Path) -> Path:
    """The commit alone: nothing that is ignored, and nothing of this machine."""
    tree.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", tree], input=archive, check=True)
    return tree


def build_python(tree: Path, folder: Path) -> None:
    """The source distribution and the wheel."""
    run(tree, sys.executable, "-m", "hatchling", "build", "--directory", str(folder.resolve()))


def build_npm(root: Path, tree: Path, folder: Path) -> None:
    """The npm package, with the compilers that this checkout has."""
    (tree / "node_modules").symlink_to((root / "node_modules").resolve())
    run(tree / "packages" / "embed", "npm", "pack", "--silent", "--pack-destination", str(folder.resolve()))


def run(folder: Path, *command: str) -> None:
    """Raises Refused with the end of what a builder said when it failed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def pack(source: Path, target: Path, inside: str, at: datetime) -> None:
    """A folder as a zip whose bytes are those of its files, in order, at one time."""
    with zipfile.ZipFile(target, "w") as packed:
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            name = Path(inside, path.relative_to(source)).as_posix()
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())


def write_sums(folder: Path) -> None:
    """As `sha256sum --check` reads it."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    text = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    (folder / SUMS).write_text(text, "utf-8")


@refusing
def main(arguments: list[str]) -> None:
    """Build into the folder that is given."""
    (folder,) = arguments
    version = release(ROOT, Path(folder))
    print(NEXT.format(folder=folder, version=version, notes=NOTES, sums=SUMS))


if __name__ == "__main__":
    main(sys.argv[1:])
