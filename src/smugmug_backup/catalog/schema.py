"""The tables of a catalog. What each column means, and queries to begin with: ``SCHEMA.md``."""

import sqlite3

VERSION = 4
"""Stands as ``user_version`` in the file; a catalog of another version is made anew."""

APPLICATION = 0x534D4247
"""Stands as ``application_id``: this SQLite file is a catalog of ours."""

WANTING = "(status != 'stored' OR NOT verified OR missing_since IS NOT NULL)"
"""Of a version of an image: not all is well. An index knows those; a query that says so in these
words reads no others."""

_TABLES = f"""
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value TEXT
) WITHOUT ROWID;

CREATE TABLE albums (
  album_key TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  path TEXT NOT NULL,
  description TEXT,
  keywords TEXT,
  privacy TEXT,
  generation INTEGER NOT NULL,
  image_count INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  unavailable INTEGER NOT NULL,
  unverified INTEGER NOT NULL,
  listed_at TEXT,
  full_listing_at TEXT,
  missing_since TEXT,
  deleted_at TEXT,
  gone INTEGER NOT NULL,
  ignored INTEGER NOT NULL,
  problem TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX albums_name ON albums (name, album_key);

CREATE TABLE album_versions (
  album_key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  run_id TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_until TEXT,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  path TEXT NOT NULL,
  description TEXT,
  keywords TEXT,
  privacy TEXT,
  album_fingerprint TEXT NOT NULL,
  image_count INTEGER NOT NULL,
  deleted_at TEXT,
  PRIMARY KEY (album_key, generation)
) WITHOUT ROWID;

CREATE TABLE image_versions (
  version_id INTEGER PRIMARY KEY AUTOINCREMENT,
  album_key TEXT NOT NULL,
  image_key TEXT NOT NULL,
  from_generation INTEGER NOT NULL,
  until_generation INTEGER,
  valid_from TEXT NOT NULL,
  valid_until TEXT,
  what TEXT NOT NULL,
  image_id INTEGER,
  file_name TEXT,
  title TEXT,
  caption TEXT,
  keywords TEXT,
  taken_at TEXT,
  uploaded_at TEXT,
  last_updated TEXT,
  latitude REAL,
  longitude REAL,
  altitude REAL,
  format TEXT,
  width INTEGER,
  height INTEGER,
  seconds INTEGER,
  is_video INTEGER NOT NULL,
  hidden INTEGER NOT NULL,
  position INTEGER,
  fingerprint TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  verified INTEGER NOT NULL,
  key TEXT,
  bytes INTEGER,
  sha256 TEXT,
  md5 TEXT,
  missing_since TEXT,
  deleted_at TEXT
);
CREATE INDEX image_versions_of ON image_versions (album_key, image_key, from_generation);
CREATE INDEX image_versions_shown ON image_versions (
  album_key, until_generation, position IS NULL, position, image_key,
  is_video, taken_at, missing_since, deleted_at, latitude, longitude
);
CREATE INDEX image_versions_image ON image_versions (image_key);
CREATE INDEX image_versions_from ON image_versions (valid_from);
CREATE INDEX image_versions_until ON image_versions (valid_until);
CREATE INDEX image_versions_md5 ON image_versions (md5);
CREATE INDEX image_versions_wanting ON image_versions (album_key)
  WHERE until_generation IS NULL AND {WANTING};
CREATE INDEX image_versions_taken ON image_versions (taken_at) WHERE until_generation IS NULL;

CREATE VIEW images AS
  SELECT v.*, a.name AS album_name,
    (v.missing_since IS NOT NULL OR v.deleted_at IS NOT NULL OR a.gone) AS gone,
    coalesce(v.deleted_at, v.missing_since, a.deleted_at, a.missing_since) AS gone_since
  FROM image_versions v JOIN albums a USING (album_key)
  WHERE v.until_generation IS NULL;

CREATE VIRTUAL TABLE image_words USING fts5(
  file_name, title, caption, keywords,
  content = 'image_versions', content_rowid = 'version_id',
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  began_at TEXT NOT NULL,
  ended_at TEXT,
  status TEXT,
  part INTEGER,
  source TEXT,
  new INTEGER,
  changed INTEGER,
  missing INTEGER,
  deleted INTEGER,
  repaired INTEGER,
  originals_stored INTEGER,
  bytes_stored INTEGER,
  failures INTEGER,
  sha256 TEXT
) WITHOUT ROWID;

CREATE TABLE failures (
  run_id TEXT NOT NULL,
  album_key TEXT,
  image_key TEXT,
  code TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX failures_of ON failures (run_id);

CREATE TABLE checks (
  run_id TEXT PRIMARY KEY,
  ended_at TEXT NOT NULL,
  sound INTEGER NOT NULL,
  history INTEGER NOT NULL,
  open INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  read_objects INTEGER NOT NULL,
  read_bytes INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE findings (
  key TEXT NOT NULL,
  album_key TEXT,
  image_key TEXT,
  problem TEXT NOT NULL,
  scope TEXT NOT NULL,
  since TEXT,
  message TEXT NOT NULL
);

CREATE TABLE problems (
  album_key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  message TEXT NOT NULL,
  seen_at TEXT NOT NULL
);
"""


def create(db: sqlite3.Connection) -> None:
    """Make the tables in an empty database."""
    db.executescript(
        f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};" + _TABLES
    )


def is_catalog(db: sqlite3.Connection) -> bool:
    """Whether this is a catalog of this version. Raises sqlite3.DatabaseError if it is broken."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return (application, version) == (APPLICATION, VERSION)


def is_ours(head: bytes) -> bool:
    """Whether a file that begins with these 100 bytes was a catalog of any version, sound or not;
    what is not must not be replaced."""
    magic = b"SQLite format 3\0"
    return not head or (head.startswith(magic) and head[68:72] == APPLICATION.to_bytes(4, "big"))
