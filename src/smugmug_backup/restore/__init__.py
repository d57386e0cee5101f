"""Restoring: choose what, plan where, write it. Standard library only.

`names` and `plan` are pure; `select` reads the store; `perform` writes files.
"""
