"""Says whether a store is sound; changes nothing. Start at `check`.

May import `archive` and the entrance (`ports`, `model`, `errors`, `clock`), no other room.
"""
