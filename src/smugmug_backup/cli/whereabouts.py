"""Where a backup lies, in words by which another person finds it: disk, share, bucket, account."""

import ntpath
import os
import re
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from smugmug_backup.errors import BackupError
from smugmug_backup.keeping.letter import InBucket, OnDisk
from smugmug_backup.words import Location

_SHARES = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs"))
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")


def whereabouts(location: Location) -> OnDisk | InBucket:
    """All that can be said of it, by this machine or, with two requests, by AWS; never raises."""
    if location.folder is None:
        return _in_bucket(location)
    folder = Path(os.path.abspath(location.folder))  # noqa: PTH100 (also where it is gone)
    with suppress(OSError, RuntimeError):
        folder = folder.resolve()
    if sys.platform == "linux":
        return _on_linux(folder)
    return on_volume(str(folder), _machine())


def on_mount(folder: str, mountinfo: str, labels: Mapping[str, str], machine: str) -> OnDisk:
    """By what Linux says of its mounts (`/proc/self/mountinfo`), and of devices' ``labels``.

    ======================================  ==================================================
    the nearest mount above the folder      what is said
    ======================================  ==================================================
    of NFS, SMB, sshfs …                    the share, and the folder from its top
    of a device that has a label            the label, and the folder from the disk's top
    the machine's own, or without a label   folder and machine alone
    ======================================  ==================================================
    """
    found: tuple[str, str, str, str] | None = None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        words, more = before.split(" "), after.split(" ")
        if len(words) < 5 or len(more) < 2:
            continue
        root, point = _unescaped(words[3]), _unescaped(words[4])
        # Of two mounts on one place the later one hides the other.
        if _below(folder, point) and (found is None or len(point) >= len(found[1])):
            found = root, point, more[0], _unescaped(more[1])
    if found is None:
        return OnDisk(folder=folder, machine=machine)
    root, point, kind, source = found
    inside = folder[len(point.rstrip("/")) :] or "/"
    if kind in _SHARES:
        return OnDisk(folder=folder, machine=machine, share=source, inside=inside)
    label = labels.get(source)
    if label is None or point == "/":
        return OnDisk(folder=folder, machine=machine)
    inside = (root.rstrip("/") + inside).rstrip("/") or "/"
    return OnDisk(folder=folder, machine=machine, label=label, inside=inside)


def on_volume(folder: str, machine: str) -> OnDisk:
    r"""By the path alone: ``/Volumes/PHOTOS/b`` on a Mac, ``\\nas\photos\b`` on Windows."""
    match = re.fullmatch(r"/Volumes/([^/]+)(/.*)?", folder)
    if match is not None:
        return OnDisk(folder=folder, machine=machine, label=match[1], inside=match[2] or "/")
    share, inside = ntpath.splitdrive(folder)
    if share.startswith("\\\\"):
        return OnDisk(folder=folder, machine=machine, share=share, inside=inside or "\\")
    return OnDisk(folder=folder, machine=machine)


def _on_linux(folder: Path) -> OnDisk:
    mounts, labels = "", dict[str, str]()
    with suppress(OSError):
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    with suppress(OSError):
        for link in Path("/dev/disk/by-label").iterdir():
            labels[str(link.resolve())] = _unescaped_label(link.name)
    return on_mount(str(folder), mounts, labels, _machine())


def _below(folder: str, point: str) -> bool:
    return point == "/" or folder == point or folder.startswith(f"{point}/")


def _unescaped(text: str) -> str:
    r"""The kernel writes a blank as ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _unescaped_label(text: str) -> str:
    r"""udev writes a blank as ``\x20``."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda match: chr(int(match[1], 16)), text)


def _machine() -> str:
    with suppress(OSError, UnicodeError):
        return socket.gethostname()
    return ""


def _in_bucket(location: Location) -> InBucket:
    """With one request to STS, which needs no permission, and one to S3, which needs that to list.

    The account is named only if S3 says that the bucket is its own.
    """
    # A third of a second, of which a folder needs nothing.
    from botocore.exceptions import ClientError

    from smugmug_backup.aws.client import aws_client
    from smugmug_backup.aws.errors import AWS_ERRORS

    bucket, prefix, profile = location.bucket, location.prefix, location.profile
    region = account = host = None
    try:
        client = aws_client("s3", endpoint=location.endpoint, profile=profile)
        asked = urlsplit(client.meta.endpoint_url)
        name = asked.hostname or ""
        if not name.endswith(_AWS_HOSTS):
            host = name if asked.port is None else f"{name}:{asked.port}"
        else:
            sts = aws_client("sts", profile=profile)
            account = str(sts.get_caller_identity()["Account"])
            answer = client.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
            region = _region(answer)
    except ClientError as error:
        # Of another account's bucket, or one of another region, the header still tells.
        account, region = None, _region(error.response)
    except (*AWS_ERRORS, BackupError, KeyError):
        account = None
    return InBucket(bucket=bucket, prefix=prefix, region=region, account=account, host=host)


def _region(answer: Mapping[str, Any]) -> str | None:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    found = headers.get("x-amz-bucket-region")
    return str(found) if found else None
