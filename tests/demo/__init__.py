"""`make demo`: the real stack in a local AWS backs up an account at a local SmugMug, twice."""
