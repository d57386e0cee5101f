"""What each command does, a module for each: ``run(args, console)`` returns the exit status.

`smugmug_backup.cli.parsing` says what each status means, `smugmug_backup.cli.arguments` what the
command understands.
"""
