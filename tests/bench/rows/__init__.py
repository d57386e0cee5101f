"""The rows, by name."""

from tests.bench.result import Row
from tests.bench.rows import memory, overflow, politeness, requests, v2, wall

ROWS: dict[str, Row] = {
    "requests": requests.row,
    "night": wall.night,
    "first": wall.first,
    "v2": v2.row,
    "politeness": politeness.row,
    "overflow": overflow.row,
    "memory": memory.row,
    "kill": memory.kill,
}
