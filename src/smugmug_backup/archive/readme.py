"""The README.txt of the store: how to read the backup without this program."""

README_TEXT = """\
This is a backup of a SmugMug account, made by SmugMug Backup.

You need no program to read it. Everything is a plain file; nothing is ever changed or removed.

manifests/<album>/<number>.jsonl   What the backup holds of one album. The highest number is the
                                   newest state, the lower ones are the history. Line 1 describes
                                   the album (title, path); each further line is one photo or video:
                                   its file name, where its bytes lie ("original": "key") and their
                                   SHA-256. "missing_since" or "deleted_at" mean that it has left
                                   SmugMug; its bytes stay here.
originals/<image>/<name>.<ext>     The bytes of photos and videos, as SmugMug delivered them.
                                   A name of 32 hex digits is their MD5, as SmugMug states it.
records/<album>/<image>/<id>.json  All that SmugMug says of an image: caption, keywords, place.
albums/<album>/<id>.json           All that SmugMug says of an album.
runs/<year>/<month>/<run>.json     One report per run: is the backup complete, and if not, why.
work/                              Notes of runs under way; no part of the backup.

Find a photo:     look for its file name in the newest manifest of its album.
Check a photo:    sha256sum <file>   must print the "sha256" of its line.
Check a record:   sha256sum <file>   must begin with the file's own name.

The lines are JSON, in UTF-8; times are UTC. The fields are described in the project's README.
"""
