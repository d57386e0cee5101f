"""A stand-in for SmugMug on loopback: API 1.3.0, API v2, OAuth 1.0a and the photo host.

    world = World(generate_account(seed=1, albums=3, images=4))   # or World(demo_account())
    with LocalSmugMug(world) as smugmug:
        smugmug.url                             # API host and photo host: http://127.0.0.1:PORT
        smugmug.faults.add("status", status=503, method="images", times=2, retry_after=1)
        world.edit(image_key, caption="new"); smugmug.calls.api; world.snapshot()

Stable names:

- `World` (``account``, ``switches``; ``World(clock=...)`` takes a callable). Operations, by keys:
  ``upload`` ``upload_video`` ``edit`` ``replace`` ``delete`` ``move`` ``collect`` ``uncollect``
  ``hide`` ``reorder`` ``new_album`` ``edit_album`` ``rename_album`` ``drop_album``
  ``drop_everything`` ``add_rendition`` ``finish_processing`` ``forget_md5`` ``forget_original``.
  ``listed`` and ``snapshot`` say what a listing shows and what a perfect backup holds.
- `LocalSmugMug`: ``url``, ``faults`` (``add``, ``remove``, ``clear``; kinds in `fault_kinds`),
  ``switches`` (every field of `Switches`; ``set``), ``latency.api``, ``latency.photo``, ``calls``
  (``api``, ``photos``, ``by_method``, ``by_what``, ``of(what, album)``, ``bytes_by_image``,
  ``peak``, ``during_retry_after``, ``log``, ``reset``), ``keeper.revoked``, ``photo_base``.
- `Account`: ``nickname``, ``secrets``, ``secret()`` (the backup's secret), ``secret_texts()`` (what
  must not leak), ``albums``, ``site_protected``.
- ``python -m tests.local_smugmug --help``; another process controls it by `control`.
"""

from typing import TYPE_CHECKING, Any

from tests.local_smugmug.bodies import BytesBody, SeededBody
from tests.local_smugmug.calls import Call, Calls
from tests.local_smugmug.faults import KINDS, Fault, Faults
from tests.local_smugmug.generate import generate_account, new_account
from tests.local_smugmug.model import Account, Album, Image, Secrets
from tests.local_smugmug.server import LocalSmugMug
from tests.local_smugmug.switches import Switches
from tests.local_smugmug.world import World

if TYPE_CHECKING:
    from tests.local_smugmug.pictures import demo_account


def __getattr__(name: str) -> Any:
    """`demo_account` is found when it is asked for: it needs a library that draws."""
    if name == "demo_account":
        from tests.local_smugmug import pictures

        return pictures.demo_account
    raise AttributeError(name)


__all__ = [
    "KINDS",
    "Account",
    "Album",
    "BytesBody",
    "Call",
    "Calls",
    "Fault",
    "Faults",
    "Image",
    "LocalSmugMug",
    "Secrets",
    "SeededBody",
    "Switches",
    "World",
    "demo_account",
    "generate_account",
    "new_account",
]
