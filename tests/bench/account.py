"""A great account in a fresh process: what two nights over it cost, as JSON.

``python -m tests.bench.account ALBUMS IMAGES THREADS``; the account and the store are those of
`tests.proof.big`, without HTTP: this is about memory and about the product's own work.
"""

import json
import sys
import time

from tests.bench.worker import peak_mib
from tests.proof.big import nights


def main() -> None:
    """Back it up, and once more."""
    albums, images, threads = map(int, sys.argv[1:])
    before = peak_mib()
    done, cpu = [], time.process_time()
    for night in nights(albums, images, 2, threads):
        spent = time.process_time() - cpu
        done.append({**night, "cpu": spent, "peak_mib": peak_mib(), "before_mib": before})
        cpu += spent
    print(json.dumps(done))


if __name__ == "__main__":
    main()
