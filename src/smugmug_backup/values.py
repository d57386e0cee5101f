"""`dataclass` as the standard library has it, at a third of what it costs to make one.

The standard library writes the source of six methods for each class and compiles it, whenever a
process starts: 0.65 ms of CPU a class, and a night loads a hundred of them. Here only ``__init__``
is compiled, for it is called often; the others are the same few functions for all. All else
(fields, slots, `replace`, `asdict`, patterns) is the standard library's.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from operator import attrgetter
    from reprlib import recursive_repr

    def dataclass(*, frozen: bool = False, slots: bool):
        """As ``dataclasses.dataclass(frozen=frozen, slots=True)``; it has no other arguments."""
        assert slots

        def made_of(cls: type) -> type:
            # Where it has no docstring, the standard library looks into its signature for one.
            cls.__doc__ = cls.__doc__ or cls.__name__
            own = {*cls.__dict__}
            if "__eq__" in own and cls.__hash__ is None:
                own.discard("__hash__")
            made = dataclasses.dataclass(slots=True, init=False, repr=False, eq=False)(cls)
            for name, method in _methods(made, frozen=frozen).items():
                if name not in own:
                    setattr(made, name, method)
            return made

        return made_of

    def _methods(made: type, *, frozen: bool) -> dict[str, Any]:
        fields = dataclasses.fields(made)
        methods = {
            "__init__": _init(made, fields, frozen=frozen),
            "__repr__": _repr([each.name for each in fields if each.repr]),
            "__eq__": _eq(_getter(each.name for each in fields if each.compare)),
            "__hash__": None,
        }
        if frozen:
            hashed = (f.name for f in fields if (f.compare if f.hash is None else f.hash))
            methods["__hash__"] = _hash(_getter(hashed))
            methods["__getstate__"] = _state
            methods["__setstate__"] = _take_state
            # The last: what is set before is set as on any class.
            methods["__setattr__"] = _refuse_to_set
            methods["__delattr__"] = _refuse_to_delete
        return methods

    _MISSING = dataclasses.MISSING

    def _init(made: type, fields: tuple[Any, ...], *, frozen: bool) -> Any:
        """``def __init__(self, a, b=b_)``, with the values of the defaults as globals."""
        known: dict[str, Any] = {"_set": object.__setattr__, "_missing": _MISSING}
        taken, lines = ["self"], []
        for each in fields:
            assert each.init, each
            assert not each.kw_only, each
            name = value = each.name
            if each.default_factory is not _MISSING:
                known[f"_of_{name}"] = each.default_factory
                taken.append(f"{name}=_missing")
                value = f"_of_{name}() if {name} is _missing else {name}"
            elif each.default is not _MISSING:
                known[f"_of_{name}"] = each.default
                taken.append(f"{name}=_of_{name}")
            else:
                taken.append(name)
            lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
        body = "\n ".join(lines or ["pass"])
        # Nothing but the names of fields, as the standard library has it.
        exec(f"def __init__({', '.join(taken)}):\n {body}", known)  # noqa: S102
        init = known["__init__"]
        init.__qualname__ = f"{made.__qualname__}.__init__"
        init.__module__ = made.__module__
        return init

    def _getter(names: Any) -> Any:
        found = [*names]
        if not found:
            return lambda _: ()
        return attrgetter(*found)

    def _repr(names: list[str]) -> Any:
        @recursive_repr()
        def shown(self: Any) -> str:
            said = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
            return f"{type(self).__qualname__}({said})"

        return shown

    def _eq(values: Any) -> Any:
        def equal(self: Any, other: object) -> bool:
            if other.__class__ is not self.__class__:
                return NotImplemented
            return values(self) == values(other)

        return equal

    def _hash(values: Any) -> Any:
        def hashed(self: Any) -> int:
            return hash(values(self))

        return hashed

    def _state(self: Any) -> list[Any]:
        return [getattr(self, each.name) for each in dataclasses.fields(self)]

    def _take_state(self: Any, state: list[Any]) -> None:
        for each, value in zip(dataclasses.fields(self), state, strict=True):
            object.__setattr__(self, each.name, value)

    def _refuse_to_set(self: Any, name: str, _value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _refuse_to_delete(self: Any, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
