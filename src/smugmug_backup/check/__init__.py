"""Says whether a store is sound; writes its report, and changes nothing else. Start at `check`.

May import `archive` and the entrance (`ports`, `model`, `errors`, `clock`, `words`), no other room.
The passes: `reports`, `albums`, `data`, `follow`; what they find comes together in `ledger`.
"""
