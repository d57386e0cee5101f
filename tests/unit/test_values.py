"""A class of ours is the one that the standard library would have made; it is made of less."""

import copy
import dataclasses
import pickle
import re
import sys
from dataclasses import FrozenInstanceError, asdict, field, fields, replace

import pytest

from smugmug_backup import values

MAKERS = [dataclasses.dataclass, values.dataclass]


def made(maker, *, frozen=True):
    @maker(frozen=frozen, slots=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        names: list = field(default_factory=list, compare=False)
        secret: str = field(default="s", repr=False)

        @property
        def sum(self):
            return self.x + self.y

    return Point


@values.dataclass(frozen=True, slots=True)
class Kept:
    """One that a pickle finds."""

    a: int
    b: tuple = ()


def frozen_and_not(test):
    marked = pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "free"])
    return marked(pytest.mark.parametrize("maker", MAKERS, ids=["standard", "ours"])(test))


@frozen_and_not
def test_it_is_made_shown_and_compared(maker, frozen):
    point_of = made(maker, frozen=frozen)
    point = point_of(1)
    assert (point.x, point.y, point.names, point.secret, point.sum) == (1, 2, [], "s", 3)
    assert repr(point).endswith("Point(x=1, y=2, names=[])")
    assert point == point_of(1, names=["other"]) != point_of(1, 3)
    assert point != (1, 2) and point_of(1).names is not point_of(1).names
    assert asdict(replace(point, y=5)) == {"x": 1, "y": 5, "names": [], "secret": "s"}
    assert [each.name for each in fields(point)] == ["x", "y", "names", "secret"]
    assert point_of.__match_args__ == ("x", "y", "names", "secret")
    assert point_of.__doc__ == "A point."
    assert not hasattr(point, "__dict__")
    match point:
        case point_of(1, y):
            assert y == 2
        case _:
            raise AssertionError


@frozen_and_not
def test_it_says_what_it_is_not_made_of(maker, frozen):
    point_of = made(maker, frozen=frozen)
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required .*'x'"):
        point_of()
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'z'"):
        point_of(1, z=2)
    with pytest.raises((TypeError, SyntaxError), match="default"):

        @maker(frozen=frozen, slots=True)
        class Wrong:
            x: int = 1
            y: int


@pytest.mark.parametrize("maker", MAKERS, ids=["standard", "ours"])
def test_a_frozen_one_cannot_change_and_can_be_a_key(maker):
    point = made(maker)(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert {point: 1}[made_again(point, maker)] == 1
    assert copy.copy(point) == point == copy.deepcopy(point)


def made_again(point, maker):
    return replace(point, names=["not compared"])


@pytest.mark.parametrize("maker", MAKERS, ids=["standard", "ours"])
def test_one_that_is_not_frozen_changes_and_is_no_key(maker):
    point = made(maker, frozen=False)(1)
    point.x = 3
    assert point.sum == 5 and copy.copy(point) == point
    with pytest.raises(TypeError, match="unhashable"):
        hash(point)


@pytest.mark.parametrize("maker", MAKERS, ids=["standard", "ours"])
def test_what_a_class_says_itself_stands(maker):
    @maker(frozen=True, slots=True)
    class Secret:
        key: str

        def __repr__(self):
            return "Secret()"

        def __eq__(self, other):
            return isinstance(other, Secret)

    @maker(frozen=True, slots=True)
    class Named:
        key: str

        def __hash__(self):
            return 7

    assert repr(Secret("k")) == "Secret()" and Secret("k") == Secret("l")
    assert hash(Secret("k")) != hash(Secret("other"))
    assert hash(Named("k")) == 7


@frozen_and_not
def test_one_takes_over_the_fields_of_another(maker, frozen):
    @maker(frozen=frozen, slots=True)
    class Deeper(made(maker, frozen=frozen)):
        z: int = 9

    deeper = Deeper(1, z=4)
    assert (deeper.x, deeper.z) == (1, 4) and deeper != Deeper(1)
    assert "z=4" in repr(deeper)


def test_a_pickle_of_one_is_it():
    kept = Kept(1, (2,))
    assert pickle.loads(pickle.dumps(kept)) == kept


def test_one_without_fields_is_all_there_is():
    @values.dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    assert Nothing() == Nothing() and repr(Nothing()).endswith("Nothing()")
    assert hash(Nothing()) == hash(Nothing())


def test_no_more_is_compiled_than_what_is_called_often():
    compiled = []
    counting = True

    def hear(event, of):
        if counting and event == "compile":
            compiled.append(of[0])

    def methods_of(maker):
        compiled.clear()
        made(maker)
        return sorted(re.findall(r"def (__(?!create)\w+__)", str(compiled)))

    sys.addaudithook(hear)
    ours, theirs = methods_of(values.dataclass), methods_of(dataclasses.dataclass)
    counting = False
    assert ours == ["__init__"]
    assert len(theirs) >= 6
