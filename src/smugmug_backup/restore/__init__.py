"""Restoring: choose what, plan where, write it. It replaces no file and mixes none. Start at
`perform.Restorer`.

`names`, `plan` and `record` are pure; `select` and `ahead` read the archive; `folder` and
`exclusive` write files; `alone` says when to give up. May import `archive` and the entrance, no
other room.
"""
