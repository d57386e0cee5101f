"""The proof: kill it anywhere, feed it anything, and nothing that was promised is broken."""

import sys
from pathlib import Path

# For `python -m tests.proof.…` from a checkout; pytest does the same by its own settings.
sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
