"""SmugMug as a source of photos: API 1.3.0 (`source_130`) and API v2 (`source_v2`).

Adapters of `ports.PhotoSource`: may import the entrance, no other adapter, and of the rooms only
`archive.records`, whose rules of fields make both APIs' records alike. Below the sources lie their
clients (`client_130`, `client_v2`), and below these the one way out, `transport`.
"""

import logging

# At DEBUG these libraries print what must never be in a log: whole URLs with their tokens and
# queries (urllib3), and signed headers and base strings (the OAuth ones).
for _name in (
    "urllib3",
    "urllib3.connectionpool",
    "requests_oauthlib",
    "requests_oauthlib.oauth1_auth",
    "oauthlib",
    "oauthlib.oauth1.rfc5849",
):
    logging.getLogger(_name).setLevel(logging.INFO)
# This one does so at WARNING, when a header cannot be parsed.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
