"""The rows, by name."""

from tests.bench.result import Row
from tests.bench.rows import requests, wall

ROWS: dict[str, Row] = {
    "requests": requests.row,
    "night": wall.night,
    "first": wall.first,
}
