"""The rows, by name."""

from tests.bench.result import Row
from tests.bench.rows import cold_start, memory, overflow, peers, politeness, requests, v2, wall

ROWS: dict[str, Row] = {
    "requests": requests.row,
    "night": wall.night,
    "first": wall.first,
    "peers": peers.row,
    "v2": v2.row,
    "politeness": politeness.row,
    "overflow": overflow.row,
    "memory": memory.row,
    "start": cold_start.row,
    "kill": memory.kill,
}
