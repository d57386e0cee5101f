"""Run the local SmugMug as one command; its address is the first line."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from tests.local_smugmug import LocalSmugMug, World, demo_account, generate_account


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _options()
    if options.demo:
        account = demo_account()
    else:
        account = generate_account(
            options.seed, albums=options.albums, images=options.images, size=options.size
        )
    world = World(account)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with LocalSmugMug(world, port=options.port, host=options.host) as smugmug:
        smugmug.latency.api, smugmug.latency.photo = options.api_latency, options.photo_latency
        smugmug.photo_base = options.photo_base
        if options.print_secret:
            _write_secret(Path(options.print_secret), account.secret())
        print(smugmug.url, flush=True)
        print(f"NickName: {account.nickname}", flush=True)
        print(f"APIKey: {account.secrets.api_key}", flush=True)
        stop.wait()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.local_smugmug", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--albums", type=int, default=3, help="how many albums")
    parser.add_argument("--images", type=int, default=4, help="images in each album")
    parser.add_argument("--size", type=int, default=2_000, help="bytes of each image, about")
    parser.add_argument("--demo", action="store_true", help="the demo account, real pictures")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--photo-base", help="what photo URLs begin with, if not the host asked")
    parser.add_argument("--api-latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--photo-latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--print-secret", metavar="PATH", help="write the backup's secret there")
    return parser.parse_args()


def _write_secret(path: Path, secret: dict[str, object]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(secret, file)


if __name__ == "__main__":
    sys.exit(main())
