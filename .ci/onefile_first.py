# ruff: noqa: D100, UP032, UP036 - an older Python, too, has to understand these lines
import sys

# The first thing that smugmug-backup.pyz does once it is unpacked.
if sys.version_info < (3, 11):
    sys.exit("smugmug-backup needs Python 3.11 or later; this is {}".format(sys.version.split()[0]))
