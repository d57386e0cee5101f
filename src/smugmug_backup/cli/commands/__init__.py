"""One module per command; each has ``NAME``, ``add_parser(subparsers)`` and ``run(args, console)``.

``run`` returns the exit status: `smugmug_backup.cli.parsing` says what each one means.
"""
