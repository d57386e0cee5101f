"""From an archive to SQLite, and searching there. Made from the backup, and no part of it.

May import `archive` and the entrance. Start at `update`, then `versions`; the tables are `schema`,
told in SCHEMA.md.
"""
