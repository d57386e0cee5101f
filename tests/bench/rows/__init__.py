"""The rows, by name, in the order in which they run and are told."""

from tests.bench.rows import (
    catalog,
    connect,
    counts,
    first,
    memory,
    night,
    overflow,
    politeness,
    start,
)
from tests.bench.sizes import Row

ROWS: dict[str, Row] = {
    **first.ROWS,
    "cpu-s3": first.cpu_s3,
    "cpu-folder": first.cpu_folder,
    "requests": counts.requests,
    "fsyncs": counts.flushes,
    "https": connect.row,
    "night": night.night,
    "folder-night": night.folder_night,
    "help": start.commands,
    "import": start.imports,
    "politeness": politeness.row,
    "gallery": first.gallery,
    "v2": night.v2,
    "overflow": overflow.row,
    "catalog": catalog.row,
    "kill": memory.kill,
    "start": start.row,
    "memory": memory.row,
}

ANYWHERE = ("cpu-s3", "cpu-folder", "requests", "fsyncs", "https", "politeness", "import", "v2")
"""Counts, and CPU by resource usage: to be judged on a busy machine, too."""
