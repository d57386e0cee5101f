"""What an owner does with whole stores, copy by copy, beside backing up and restoring.

May import `archive` and the entrance; knows no other room. Only the owner's tool has it, but for
what KEEPING in `src/Makefile` names. Begin with `forget.py`.
"""
