"""gallery-dl with SmugMug's address replaced: ``python -m tests.bench.gallery URL ARGUMENTS…``."""

import sys
from typing import Any

import gallery_dl
from gallery_dl.extractor import smugmug

REAL = "https://api.smugmug.com/"


def main() -> int:
    """Run it as its own command would."""
    url = sys.argv.pop(1)
    asked = smugmug.SmugmugAPI.request

    def request(self: Any, address: str, *given: Any, **named: Any) -> Any:
        return asked(self, address.replace(REAL, f"{url}/"), *given, **named)

    smugmug.SmugmugAPI.request = request
    return int(gallery_dl.main() or 0)


if __name__ == "__main__":
    sys.exit(main())
