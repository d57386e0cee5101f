"""The project's own scripts in `.ci/`, as modules of a test."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_FOLDER = Path(__file__).resolve().parents[2] / ".ci"


def script(name: str) -> ModuleType:
    """`.ci/<name>.py`, under its own name, by which the scripts import one another."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
