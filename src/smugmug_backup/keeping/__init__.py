"""What an owner does with a whole store, beside making, checking and restoring it.

May import `archive` and the entrance; knows no other room, and none knows it. `forget` is the
owner's alone, as is `letter`; `drill` is the function's, too (KEEPING in `src/Makefile`). Begin
with `drill.py`.
"""
