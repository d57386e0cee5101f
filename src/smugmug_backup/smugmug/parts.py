"""What both sources are built of."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from smugmug_backup.clock import Clock
from smugmug_backup.smugmug.credentials import Credentials
from smugmug_backup.smugmug.governor import Governor
from smugmug_backup.smugmug.pace import tls_context
from smugmug_backup.smugmug.photos import LARGEST_PHOTO, Photos
from smugmug_backup.smugmug.signing import Signer
from smugmug_backup.smugmug.transport import Transport


class Parts(NamedTuple):
    """The way to the API and the way to the photos, signed by the same hand."""

    transport: Transport
    photos: Photos

    @classmethod
    def build(
        cls,
        credentials: Credentials,
        *,
        api_url: str,
        governor: Governor,
        clock: Clock,
        photo_hosts: Sequence[str],
        rng: random.Random | None,
        attempts: int,
        backoff: float,
        max_photo_bytes: int | None,
    ) -> "Parts":
        """Build both for ``credentials``. Raises BadRequest for an unusable ``api_url``."""
        tls = tls_context()
        chance = rng or random.SystemRandom()
        signer = Signer(credentials, clock=clock, rng=chance) if credentials.signed else None
        transport = Transport(
            api_url=api_url,
            signer=signer,
            governor=governor,
            clock=clock,
            rng=chance,
            attempts=attempts,
            backoff=backoff,
            tls=tls,
        )
        photos = Photos(
            hosts=photo_hosts,
            signer=signer,
            governor=governor,
            clock=clock,
            rng=chance,
            largest=max_photo_bytes or LARGEST_PHOTO,
            backoff=backoff,
            tls=tls,
        )
        return cls(transport, photos)
