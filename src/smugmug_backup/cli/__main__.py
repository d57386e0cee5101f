"""``python -m smugmug_backup.cli``."""

import sys

from smugmug_backup.cli.main import main

sys.exit(main())
