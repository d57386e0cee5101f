"""What each command understands, a module for each: ``NAME`` and ``add_parser(subparsers)``.

What it does is in the module of the same name in `smugmug_backup.cli.commands`, which is loaded
when the command is run: its help, and the completion of them all, load nothing but the parser and
a few words.
"""
