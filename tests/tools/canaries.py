"""Nothing that must stay secret may stand anywhere that is kept or shown.

Every account of the local SmugMug has secrets of its own, so that finding one proves a leak.
"""

from collections.abc import Iterable

from tests.local_smugmug import Account

# Photo URLs are bearer secrets: their path holds a token; signatures are worse.
ALWAYS = ("/photos/i-", "oauth_signature", "oauth_token=", "Authorization")


def leaks(account: Account, texts: Iterable[tuple[str, bytes | str]]) -> list[str]:
    """Where a secret of ``account`` stands in ``texts`` (name, content); names only."""
    canaries = [each.encode() for each in (*account.secret_texts(), *ALWAYS) if each]
    found = []
    for name, content in texts:
        body = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        found += [f"{name}: {canary[:4]!r}..." for canary in canaries if canary in body]
    return found
