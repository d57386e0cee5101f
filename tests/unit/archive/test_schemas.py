"""The JSON Schemas hold for what real runs write, and our small validator agrees with a big one."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from smugmug_backup.archive import schemas
from smugmug_backup.clock import Deadline
from tests.tools.clock import FakeClock
from tests.tools.fake_source import FakeSource
from tests.tools.memory_store import MemoryStore
from tests.tools.nights import Nights
from tests.tools.sample import sample_store


class _Handed:
    """An overflow that only remembers."""

    def __init__(self):
        self.started = []

    def start(self, run_id):
        self.started.append(run_id)

    def recent(self):
        return ()


def _overflowed():
    """A run that hands its albums over, and the workers' outcomes."""
    clock = FakeClock()
    source, store, overflow = FakeSource(clock), MemoryStore(), _Handed()
    for album in ("a", "b"):
        source.album(album, images=2)
    nights = Nights(source, store, clock, overflow=overflow)
    deadline = Deadline.none(clock)
    deadline.stop()
    nights.run(deadline)
    (run,) = overflow.started
    from smugmug_backup.backup.overflow import read_plan

    nights.backup().work(run, read_plan(store, run), deadline=Deadline.none(clock))
    nights.backup().finish(run, deadline=Deadline.none(clock))
    return store


def _by_schema(store):
    found = {name: [] for name in schemas.NAMES}
    for key in sorted(each.key for each in store.list("")):
        body = store.read(key)
        if key.startswith("records/"):
            found["image-record"].append(json.loads(body))
        elif key.startswith("albums/"):
            found["album-record"].append(json.loads(body))
        elif key.startswith("runs/"):
            found["run-report"].append(json.loads(body))
        elif key.startswith("manifests/"):
            header, *lines = body.splitlines()
            found["manifest-header"].append(json.loads(header))
            found["manifest-line"] += [json.loads(line) for line in lines]
        elif key.endswith("plan.jsonl"):
            found["plan-line"] += [json.loads(line) for line in body.splitlines()]
        elif key.startswith("work/"):
            found["outcome"].append(json.loads(body))
    return found


@pytest.fixture(scope="module")
def written():
    found = _by_schema(sample_store().store)
    for name, values in _by_schema(_overflowed()).items():
        found[name] += values
    return found


@pytest.mark.parametrize("name", schemas.NAMES)
def test_a_schema_is_one(name):
    Draft202012Validator.check_schema(schemas.load(name))


@pytest.mark.parametrize("name", schemas.NAMES)
def test_what_real_runs_write_holds(name, written):
    validator = Draft202012Validator(schemas.load(name))
    assert written[name], f"nothing was written that {name} describes"
    for value in written[name]:
        assert list(validator.iter_errors(value)) == []
        assert schemas.checker(name)(value) is None


@pytest.mark.parametrize("name", schemas.NAMES)
def test_a_field_too_many_or_too_few_is_refused(name, written):
    value = written[name][0]
    check = schemas.checker(name)
    assert "surplus" in check({**value, "surplus": 1})
    for field in value:
        assert check({k: v for k, v in value.items() if k != field}) == f"{field} is missing"


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(-2, 2).map(lambda x: round(x, 1)),
    st.sampled_from(["", "stored", "2026-11-24T03:00:00Z", "a" * 32, "x/y", "no_original_url"]),
    st.just([]),
    st.just({}),
    st.just([1]),
)


@given(st.data())
@settings(
    deadline=None,
    derandomize=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_our_validator_says_what_jsonschema_says(written, data):
    """Change one place of a real file; both must judge alike."""
    name = data.draw(st.sampled_from(schemas.NAMES))
    value = copy.deepcopy(data.draw(st.sampled_from(written[name][:20])))
    at, place = value, None
    while isinstance(at, (dict, list)) and at:
        names = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        parent, place = at, data.draw(st.sampled_from(names))
        at = at[place]
        if data.draw(st.booleans()):
            break
    parent[place] = data.draw(_VALUES)
    ours = schemas.checker(name)(value)
    assert (ours is None) == Draft202012Validator(schemas.load(name)).is_valid(value), ours
