"""Pages on a catalog, served on this machine alone or written as files. Changes no backup.

May import `catalog`, `archive` and the entrance. Start at `site`; what each page shows
is in `views`, when the catalog is brought up to date in `fresh`.
"""
