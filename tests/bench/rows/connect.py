"""What a new https connection costs: the same requests with and without keeping them."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench import front
from tests.bench.figures import Kind, Measure, interleaved
from tests.bench.services import BUCKET, scene, tls
from tests.bench.sizes import Sizes
from tests.bench.worker import work

CLOSING = "Connection: close"
TOLD = {"photos": "to the photo host", "api": "to SmugMug's API", "s3": "to S3"}


def row(sizes: Sizes) -> Iterator[Measure]:
    """Photos, API and S3, each by the product's own way."""
    with (
        scene(albums=1, images=1, size=1_000) as at,
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as stack,
    ):
        certificate, bundle = front.make_certificate(Path(folder))
        (photo, _), *_ = at.photos
        host, path = photo[: photo.index("/photos/")], photo[photo.index("/photos/") :]
        backends = {"photos": host, "api": at.served.url, "s3": at.s3.endpoint}
        signed = ["X-Forwarded-Proto: https"]
        addresses = {
            (of, keeps): stack.enter_context(
                tls(certificate, backend, *signed, *([] if keeps else [CLOSING]))
            ).line()
            for of, backend in backends.items()
            for keeps in (True, False)
        }
        for of, what in TOLD.items():

            def asked(keeps: bool, of: str = of) -> float:
                address = addresses[of, keeps]
                at.served.url = addresses["api", keeps]
                store = {"kind": "s3", "endpoint": address, "bucket": BUCKET, "prefix": "a"}
                done = interleaved(
                    max(2, sizes.runs // 2),
                    {
                        "ours": lambda: work(
                            at.served,
                            store,
                            kind="connect",
                            bundle=bundle,
                            of=of,
                            photo=f"{addresses['photos', keeps]}{path}",
                            times=sizes.connections,
                            concurrency=1,
                        )
                    },
                )
                return done["ours"].cpu / sizes.connections * 1e3

            kept, new = asked(True), asked(False)
            yield Measure(
                "https",
                f"CPU of a new https connection {what}",
                new - kept,
                "ms",
                2.0,
                kind=Kind.SCALED,
                note=f"a request {new:.1f} ms over a new one, {kept:.1f} ms over a kept one",
            )
