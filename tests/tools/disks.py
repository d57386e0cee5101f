"""Real file systems, small and in a file, for tests that run as root.

Where one cannot be mounted the test is skipped, and says what would bring it; in CI that is a
failure (`tests.tools.skips`). FAT is tried where the kernel has it: elsewhere no test is made.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

MIB = 1024 * 1024


@dataclass(frozen=True)
class Kind:
    """A file system: how it is made in the file ``{image}`` and mounted at ``{folder}``.

    ``package``: Debian's, for its programs. ``keeps_case``: ``a`` and ``A`` are two names.
    """

    name: str
    make: str
    mount: str
    package: str
    mib: int = 64
    keeps_case: bool = True


KINDS = (
    Kind(
        "ext4",
        "mkfs.ext4 -q -F -m 0 {image}",
        "mount -o loop {image} {folder}",
        "e2fsprogs",
    ),
    # 300 MiB is the least that mkfs.xfs makes; the file has holes.
    Kind("xfs", "mkfs.xfs -q {image}", "mount -o loop {image} {folder}", "xfsprogs", mib=320),
    Kind(
        "exfat",
        "mkfs.exfat {image}",
        "mount.exfat-fuse -o noatime {device} {folder}",
        "exfat-fuse exfatprogs",
        keeps_case=False,
    ),
    Kind(
        "ntfs",
        "mkntfs -q -F -f {image}",
        "lowntfs-3g -o ignore_case {image} {folder}",
        "ntfs-3g",
        keeps_case=False,
    ),
    Kind(
        "vfat",
        "mkfs.vfat -F 32 {image}",
        "mount -t vfat -o loop {image} {folder}",
        "dosfstools",
        keeps_case=False,
    ),
)


@cache
def kernel_has(name: str) -> bool:
    """Whether the kernel has that file system, perhaps as a module."""
    with open("/proc/filesystems") as known:
        if any(line.split()[-1] == name for line in known):
            return True
    program = shutil.which("modprobe")
    if program is None or os.geteuid() != 0:
        return False
    return not subprocess.run([program, "-q", name], check=False).returncode


def kinds() -> list[Kind]:
    """Those that can be tried here, or whose absence has to be told."""
    if not Path("/proc/filesystems").exists():
        return []
    return [each for each in KINDS if each.name != "vfat" or kernel_has("vfat")]


def named(name: str) -> Kind:
    (kind,) = (each for each in KINDS if each.name == name)
    return kind


def require(kind: Kind) -> None:
    """Skip the test if this machine, or this user, cannot mount it."""
    if os.geteuid() != 0:
        pytest.skip("needs root: sudo make test")
    for command in (kind.make, kind.mount):
        if shutil.which(command.split()[0], path=_environment()["PATH"]) is None:
            pytest.skip(f"needs a file system: apt-get install {kind.package}")


@contextmanager
def mounted(kind: Kind, place: Path, *, mib: int | None = None) -> Iterator[Path]:
    """A new file system of that kind, below ``place``; gone in the end."""
    require(kind)
    image, folder = place / f"{kind.name}.img", place / kind.name
    with open(image, "wb") as file:
        file.truncate((mib or kind.mib) * MIB)
    folder.mkdir()
    _run(kind.make, image, folder)
    try:
        with mounted_again(kind, image, folder):
            yield folder
    finally:
        image.unlink()


@contextmanager
def mounted_again(kind: Kind, image: Path, folder: Path) -> Iterator[Path]:
    """The file system in ``image``, as it is."""
    with _device(image) if "{device}" in kind.mount else nullcontext() as device:
        _run(kind.mount, image, folder, device)
        try:
            yield folder
        finally:
            for command in (["umount", folder], ["umount", "-l", folder]):
                if not subprocess.run(command, check=False, capture_output=True).returncode:
                    break


@contextmanager
def _device(image: Path) -> Iterator[str]:
    """A block device: exfat-fuse takes no other."""
    device = _run("losetup -f --show {image}", image, image).strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "-d", device], check=False, env=_environment())


def _run(command: str, image: Path, folder: Path, device: str | None = None) -> str:
    words = [each.format(image=image, folder=folder, device=device) for each in command.split()]
    done = subprocess.run(words, env=_environment(), capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        pytest.skip(f"needs {words[0]} to work: {said[-1] if said else done.returncode}")
    return done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


@contextmanager
def quick_place(fallback: Path) -> Iterator[Path]:
    """A folder in memory where there is one: tests wait for every flush of a real disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield fallback
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="disks-") as made:
        yield Path(made)
