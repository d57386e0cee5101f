"""Checks of a sample store, and ways to harm it."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from smugmug_backup.archive.check_report import CheckReport
from smugmug_backup.check.check import check
from smugmug_backup.clock import Deadline

_TOKENS = count(1)


def checked(sample, read_data=None, **more):
    """One check now; its report is stored, as always."""
    with ThreadPoolExecutor(2) as executor:
        return check(
            more.pop("store", sample.store),
            clock=sample.clock,
            token=f"{next(_TOKENS):08x}",
            deadline=more.pop("deadline", Deadline.none(sample.clock)),
            executor=executor,
            read_data=read_data,
            **more,
        )


def next_check(sample, read_data=None, **more):
    """One check a day later."""
    sample.clock.advance(days=1)
    return checked(sample, read_data, **more)


class StopsReading:
    """Who watches a check, and asks for an end when it begins to read."""

    def __init__(self, deadline):
        self.reading = lambda plan: deadline.stop()

    def listed(self, what, objects): ...
    def album(self, album_key, albums): ...
    def read(self, size): ...


def problems(result):
    """What makes the store unsound, and what nobody names: (key, problem) of each."""
    return [(finding.key, str(finding.problem)) for finding in result.findings]


def stored_report(sample, result):
    """The report as it lies in the store."""
    key = result.report.key
    return CheckReport.from_bytes(sample.store.objects[key], key=key)


def keys(sample, prefix):
    """All but pages for people: nothing vouches for those."""
    there = (key for key in sample.store.objects if not key.endswith(".html"))
    return sorted(key for key in there if key.startswith(prefix))


def newest_manifest(sample, album="harbour"):
    return max(keys(sample, f"manifests/{album}/"))


def flip(sample, key, at=-2):
    """One bit of an object turns over; what it was before."""
    whole = sample.store.objects[key]
    body = bytearray(whole)
    body[at] ^= 1
    sample.store.objects[key] = bytes(body)
    return whole


def original_of(sample, album="alps", number=0):
    """The key of a live original."""
    entries = [e for e in sample.nights.manifest(album).entries.values() if e.original.stored]
    return entries[number].original.key


def record_of(sample, album="alps"):
    return next(iter(sample.nights.manifest(album).entries.values())).record


def rewrite(sample, key, change):
    """Parse every line of a manifest, change the list, put it back."""
    lines = [json.loads(line) for line in sample.store.objects[key].splitlines()]
    change(lines)
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    sample.store.objects[key] = body


def without_reports(sample):
    """A store of which no report states anything: every killed run's."""
    for key in keys(sample, "runs/"):
        del sample.store.objects[key]
