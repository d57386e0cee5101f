"""The same transfers by bare requests and boto3, as a script of a few lines would do them.

Nothing is verified, compared or recorded: each photo is read and put, and so is as much else as
the backup wrote besides.
"""

import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import requests
from botocore.config import Config


def main() -> None:
    """Do what standard input asks for."""
    task = json.loads(sys.stdin.read())
    bucket, prefix, threads = task["bucket"], task["prefix"], task["concurrency"]
    config = Config(max_pool_connections=threads, proxies={}, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", config=config)
    local = threading.local()

    def copy(photo: list[str]) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        answer = local.session.get(photo[0], timeout=60)
        answer.raise_for_status()
        s3.put_object(
            Bucket=bucket,
            Key=f"{prefix}/originals/{photo[1]}",
            Body=answer.content,
            ContentType="image/jpeg",
        )

    def put(numbered: tuple[int, int]) -> None:
        number, size = numbered
        s3.put_object(Bucket=bucket, Key=f"{prefix}/other/{number}.json", Body=b" " * size)

    cpu, began = cpu_seconds(), time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(copy, task["photos"]):
            pass
        for _ in pool.map(put, enumerate(task["others"])):
            pass
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "cpu": cpu_seconds() - cpu}))


def cpu_seconds() -> float:
    """What this process has spent, by its resource usage."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
