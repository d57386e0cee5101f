"""Restoring: choose what, plan where, write it. It replaces no file and mixes none. Start at
`perform.Restorer`.

`ways` says what each program gets, `choice` which images come; with `names`, `plan`, `record`,
`xmp` and `tables` they are pure. `select` and `ahead` read the archive; `folder`, `exclusive`,
`embed` and `bag` write files; `alone` says when to give up. May import `archive` and the entrance,
no other room.
"""
