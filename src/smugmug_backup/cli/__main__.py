"""``python -m smugmug_backup.cli``."""

from smugmug_backup.cli.main import program

program()
