"""Pack the owner's tool into one file that any Python from 3.11 on runs: `make zipapp`.

    dist/smugmug-backup.pyz

What is packed is the wheel of `make dist` and the pins of `src/requirements-tool.txt`, held to
their hashes. Nothing in it is compiled, so one file serves every processor and system: two
libraries have no wheel without compiled parts, and both do without them. Left out is what cannot:
small pictures for `browse`, `restore --embed`, the system's keyring.

The same tree gives the same bytes (dist.py says what that means). Runs under `.venvs/publish`; asks
the package index.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dist

NAME = "smugmug-backup.pyz"
ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "src" / "requirements-tool.txt"

FALL_BACK = ("markupsafe", "pyyaml")
"""Have no wheel for all machines; their compiled parts are taken out, and they use Python's."""
_COMPILED = (".so", ".pyd", ".dylib")

# boto3 brings the descriptions of 400 services: four fifths of the file. These are called (a test
# looks into the code), and the last four to find out who asks.
SERVICES = {"cloudformation", "cloudwatch", "dynamodb", "events", "lambda", "logs", "s3"}
SERVICES |= {"scheduler", "secretsmanager", "sns", "ssm", "stepfunctions"}
SERVICES |= {"sts", "sso", "sso-oidc", "signin"}

_ANYWHERE = ("--platform", "any", "--implementation", "py", "--abi", "none")
_LINUX = ("--platform", "manylinux2014_x86_64", "--implementation", "cp", "--abi", "cp311")


def pack(wheel: Path, into: Path) -> Path:
    """Pack ``wheel`` and all that it needs into a file in ``into``.

    Raises DistError with what went wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        pins = dict(_pins(REQUIREMENTS.read_text(encoding="utf-8")))
        pure = Path(folder, "pure.txt")
        pure.write_text("".join(text for name, text in pins.items() if name not in FALL_BACK))
        rest = Path(folder, "rest.txt")
        rest.write_text("".join(pins[name] for name in FALL_BACK))
        _install(site, "--require-hashes", *_ANYWHERE, "-r", str(pure))
        _install(site, "--require-hashes", *_LINUX, "-r", str(rest))
        _install(site, str(wheel))
        _trim(site)
        packed = Path(folder, NAME)
        _shiv(site, packed)
        return _normalised(packed, into / NAME)


def _pins(text: str) -> Iterator[tuple[str, str]]:
    """Each pin with its hashes, by the name of what it pins."""
    for name, _, rest in re.findall(r"^([\w.-]+)(==)((?:.*\\\n)*.*\n)", text, re.MULTILINE):
        yield name, f"{name}=={rest}"


def _install(site: Path, *what: str) -> None:
    _run(
        *(sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--only-binary=:all:", "--no-compile", "--upgrade"),
        *("--python-version", "3.11", "--target", str(site), *what),
    )


def _trim(site: Path) -> None:
    """Leave what is run, with modes that are always alike."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for folder in (site / "botocore" / "data").iterdir():
        if folder.is_dir() and folder.name not in SERVICES:
            shutil.rmtree(folder)
    for name in ("direct_url.json", "RECORD", "INSTALLER", "REQUESTED"):
        for each in site.glob(f"*.dist-info/{name}"):
            each.unlink()
    for each in site.rglob("*"):
        if each.name.endswith(_COMPILED):
            if not each.is_relative_to(site / "markupsafe") and not _is_yaml(each, site):
                raise dist.DistError(f"{each.relative_to(site)} runs on one kind of machine only")
            each.unlink()
        else:
            each.chmod(0o755 if each.is_dir() else 0o644)


def _is_yaml(file: Path, site: Path) -> bool:
    return file.relative_to(site).parts[0] in ("yaml", "_yaml")


def _shiv(site: Path, target: Path) -> None:
    _run(
        *(sys.executable, "-I", "-m", "shiv", "--reproducible", "--uncompressed"),
        *("--site-packages", str(site), "--preamble", str(ROOT / ".ci" / "onefile_first.py")),
        *("--entry-point", "smugmug_backup.cli.main:program", "--output-file", str(target)),
    )


def _normalised(packed: Path, target: Path) -> Path:
    """The same, compressed; shiv leaves the modes of its own files, which the umask made, in it."""
    whole = packed.read_bytes()
    with (
        target.open("wb") as raw,
        zipfile.ZipFile(packed) as old,
    ):
        raw.write(whole[: whole.index(b"PK\x03\x04")])
        with zipfile.ZipFile(raw, "w", compresslevel=9) as new:
            for each in old.infolist():
                member = zipfile.ZipInfo(each.filename, each.date_time)
                member.external_attr = 0o100644 << 16
                member.compress_type = zipfile.ZIP_DEFLATED
                new.writestr(member, old.read(each))
    target.chmod(0o755)
    return target


def _run(*command: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command,
        env={**kept, "SOURCE_DATE_EPOCH": str(dist.EPOCH)},
        umask=0o022,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise dist.DistError(f"{command[3]} failed\n{done.stdout}{done.stderr}")


def main() -> None:
    """Add it to `dist/`."""
    into = ROOT / "dist"
    (wheel,) = into.glob("*.whl")
    try:
        packed = pack(wheel, into)
    except dist.DistError as error:
        sys.exit(f"zipapp: {error}")
    dist.write_sums(into)
    print(f"  {packed.relative_to(ROOT)}  {packed.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
