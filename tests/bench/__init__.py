"""How fast, how large, how many requests: ``python -m tests.bench``, see docs/performance.md.

`rows` says what each row is, `figures` whether its goal is met, `worker` is the process that is
measured, `services` and `light` are what it talks to, `peers` what it is compared with, and
`page` turns ``bench.json`` into docs/performance.md.
"""

import sys
from pathlib import Path

# Run as a module it is not installed, and pytest's own settings do not apply.
sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
