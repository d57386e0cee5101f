"""What an owner does with a whole store, beside making, checking and restoring it: `forget`.

May import `archive` and the entrance; knows no other room, and none knows it. Only the owner's tool
has it, but for what KEEPING in `src/Makefile` names. Begin with `forget.py`.
"""
