"""SmugMug as a source of photos.

`source_130` and `source_v2` are the port `PhotoSource`; open one of them first. Each asks its
client (what is sent, and what a refusal means) and reads by its shapes (what an answer becomes);
`transport` and `photos` are the only ways out, `errors` the tables of codes and statuses. They
import the entrance, and of the rooms only `archive.records`, whose rules of fields make both APIs'
records alike.
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
