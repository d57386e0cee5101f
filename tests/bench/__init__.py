"""How fast, how large, how many requests: ``python -m tests.bench [--full] [--only ROW]``.

Every row measures ratios or counts in this one run, against the local SmugMug in a process of its
own; nothing here is a promise in seconds. `rows` says what each row is, `worker` is the process
that is measured, `services` starts (and ends) what it talks to.
"""

import sys
from pathlib import Path

# Run as a module it is not installed, and pytest's own settings do not apply.
sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
