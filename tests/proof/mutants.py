"""Do the tests see? Defects are planted, one by one, and the nearest tests have to notice.

``make mutants`` plants at random into what changed (see tests/README.md for how to read it);
``python -m tests.proof.mutants --by-hand`` puts in the few of `by_hand`, for the proof to find.

No file of the checkout is changed: each of the processes at work has a copy of ``src``.
"""

import argparse
import compileall
import importlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.tools.planting import Change, changes

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("src/smugmug_backup")
_RULES = ("tests/unit/backup/test_rules.py",)
_RULED = ("archive", "backup")
"""Rooms whose modules are met by the rules of a run, whatever imports them."""
_BY_COMMAND = ("cli",)
"""Rooms with tests for each command: all of them together take minutes."""
_SLOW = re.compile(r"kill -9|^from tests\.stack\.(?!environment|template)", re.MULTILINE)
_HEAVY = ("pytest", "hypothesis", "boto3", "moto", "rich")
_SECONDS = 60.0

NOTICED, SURVIVED, ENDLESS, UNTESTED = "noticed", "survived", "time limit", "no test"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect in the module ``path`` (from the root)."""

    path: str
    change: Change

    def __str__(self) -> str:
        return f"{self.path}:{self.change.line}: {self.change}"


def planted(sources: Mapping[str, str], *, count: int, seed: int) -> list[Mutant]:
    """``count`` defects at random, in the order of modules and lines; a seed says which."""
    every = [Mutant(path, each) for path in sorted(sources) for each in changes(sources[path])]
    chosen = random.Random(seed).sample(every, min(count, len(every)))
    return sorted(chosen, key=lambda each: (each.path, each.change.line))


def nearest(module: str, root: Path = ROOT) -> list[str]:
    """The tests of ``module``, the nearest first: its own, those that name it, those of the
    modules that import it, the rules of a run, and those of its room, if it has none of its own.
    What starts a stack or kills processes is left to the suite."""
    inside = Path(module).relative_to(PACKAGE)
    unit, room, own = root / "tests/unit", inside.parts[0], _own(inside, root / "tests/unit")
    named = _named(inside)
    rest = [each for each in sorted(unit.rglob("test_*.py")) if named.search(each.read_text())]
    if len(inside.parts) > 1:
        rest += (_own(each, unit) for each in _above(inside, root / PACKAGE, unit))
    rest += [root / each for each in _RULES] if room in _RULED else []
    if len(inside.parts) > 1 and not own.is_file() and room not in _BY_COMMAND:
        rest += sorted((unit / room).glob("test_*.py"))
    there = [each for each in dict.fromkeys([own, *rest]) if each.is_file()]
    return [str(each.relative_to(root)) for each in there if not _SLOW.search(each.read_text())]


def _own(inside: Path, unit: Path) -> Path:
    """The tests of a module (from the package), if there are any."""
    return unit / (inside.parts[0] if len(inside.parts) > 1 else "") / f"test_{inside.stem}.py"


def _named(inside: Path) -> re.Pattern[str]:
    """What stands where a module is imported, or a test sets something of it."""
    whole, name = re.escape(".".join(("smugmug_backup", *inside.parts[:-1]))), inside.stem
    return re.compile(rf"{whole}\.{name}\b|from {whole} import [^\n]*\b{name}\b")


def _above(inside: Path, package: Path, unit: Path) -> list[Path]:
    """The modules with tests that import this one, by others without tests too; those of other
    rooms only if it has no tests of its own."""
    sources = {each.relative_to(package): each.read_text() for each in package.rglob("*.py")}
    found, todo = dict[Path, None](), [inside]
    while todo:
        here = todo.pop(0)
        tested, named = _own(here, unit).is_file(), _named(here)
        for each in sorted(sources):
            near = not tested or each.parts[0] == here.parts[0]
            if near and each not in found and named.search(sources[each]):
                found[each] = None
                if not _own(each, unit).is_file():
                    todo.append(each)
    return list(found)


def changed_modules(base: str | None) -> list[str]:
    """The modules of ours that differ from the commit ``base``."""
    base = base or ("main~1" if _git("rev-parse", "--verify", "--quiet", "main~1") else "HEAD~1")
    named = _git("diff", "--name-only", "--diff-filter=d", base, "--", str(PACKAGE)).split()
    return [each for each in named if each.endswith(".py")]


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout


def named_modules(words: Iterable[str]) -> list[str]:
    """The modules that a person names: ``backup/run.py``, ``backup``, ``src/…/run.py``."""
    found: list[str] = []
    for word in words:
        place = ROOT / (word if word.startswith("src/") else PACKAGE / word)
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        if not files or not files[0].is_file():
            raise SystemExit(f"there is no module {word}")
        found += (str(each.relative_to(ROOT)) for each in files)
    return list(dict.fromkeys(found))


# -- trying one ------------------------------------------------------------------------------------


class Bench:
    """A copy of ``src`` into which one defect at a time is planted, and whose tests then run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(ROOT / "src", folder / "src")
        compileall.compile_dir(folder / "src", quiet=2)

    def prove(self, tests: Sequence[str]) -> None:
        """The tests hold while nothing is planted, or they would notice anything."""
        child = os.fork()
        if child == 0:
            _run_and_exit(self._folder, tests)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            said = (self._folder / "said").read_text(errors="replace")
            raise SystemExit(f"{said}\nthe tests do not hold, though nothing is planted")

    def begin(self, mutant: Mutant, tests: Sequence[str]) -> int:
        """Plant it and begin its tests; the id of their process, and of its group."""
        file = self._folder / mutant.path
        source = (ROOT / mutant.path).read_text(encoding="utf-8")
        file.write_text(mutant.change.applied(source), encoding="utf-8")
        for stale in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            stale.unlink()
        child = os.fork()
        if child == 0:
            _run_and_exit(self._folder, tests)
        return child

    def mend(self, mutant: Mutant) -> None:
        """Take the defect out."""
        shutil.copy2(ROOT / mutant.path, self._folder / mutant.path)


def _run_and_exit(folder: Path, tests: Sequence[str]) -> None:
    """In a process of its own: the tests, with the copy in the place of ``src``."""
    code = 3
    try:
        os.setsid()
        # Of who was begun by ``&`` it is ignored, and tests that send it would wait for ever.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        silent = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        os.chdir(ROOT)
        source = str(folder / "src")
        sys.dont_write_bytecode = True
        os.environ |= {"PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path.insert(0, source)
        import pytest

        code = pytest.main(
            [
                *("-q", "-x", "--tb=line", "-o", f"pythonpath={source} ."),
                # They are, for all that are forked.
                *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
                *tests,
            ]
        )
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def tried(
    mutants: Sequence[Mutant],
    tests_of: Callable[[str], Sequence[str]],
    *,
    seconds: float = _SECONDS,
    processes: int = 2,
) -> Iterator[tuple[Mutant, str]]:
    """Each mutant, and what became of it, in the order in which that is known."""
    assert not any(name.startswith("smugmug_backup") for name in sys.modules)
    for name in _HEAVY:
        with suppress(ImportError):
            importlib.import_module(name)
    todo = list(reversed(mutants))
    running: dict[int, tuple[Mutant, Bench, float]] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        free = [Bench(Path(folder) / str(n)) for n in range(processes)]
        try:
            every = dict.fromkeys(test for each in mutants for test in tests_of(each.path))
            if every:
                free[0].prove(list(every))
            while todo or running:
                while todo and free:
                    mutant = todo.pop()
                    if tests := tests_of(mutant.path):
                        bench = free.pop()
                        child = bench.begin(mutant, tests)
                        running[child] = mutant, bench, time.monotonic() + seconds
                    else:
                        yield mutant, UNTESTED
                for child, (mutant, bench, until) in list(running.items()):
                    verdict = _verdict(child, until)
                    if verdict is not None:
                        del running[child]
                        bench.mend(mutant)
                        free.append(bench)
                        yield mutant, verdict
                time.sleep(0.05)
        finally:
            for child in running:
                _kill(child)


def _verdict(child: int, until: float) -> str | None:
    """What became of a mutant whose tests run in ``child``; None: they still run."""
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        return SURVIVED if os.waitstatus_to_exitcode(status) == 0 else NOTICED
    if time.monotonic() > until:
        _kill(child)
        return ENDLESS
    return None


def _kill(child: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


# -- by hand ---------------------------------------------------------------------------------------


def _plant(words: argparse.Namespace) -> None:
    modules = named_modules(words.modules) if words.modules else changed_modules(words.base)
    sources = {each: (ROOT / each).read_text(encoding="utf-8") for each in modules}
    mutants = planted(sources, count=words.count, seed=words.seed)
    if words.line:
        every = (Mutant(each, change) for each in modules for change in changes(sources[each]))
        mutants = [each for each in every if each.change.line in words.line]
    print(f"{len(mutants)} mutants in {len(modules)} modules, seed {words.seed}", flush=True)
    began, counts = time.monotonic(), dict.fromkeys((NOTICED, SURVIVED, ENDLESS, UNTESTED), 0)
    near = {each: nearest(each) for each in modules}
    for mutant, verdict in tried(mutants, near.__getitem__, seconds=words.seconds):
        counts[verdict] += 1
        if verdict != NOTICED:
            print(f"{verdict}: {mutant}", flush=True)
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)
    print(f"{told or 'nothing to plant'}; {time.monotonic() - began:.0f} s")


def main() -> None:
    """Plant, and tell what no test noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="into these (default: what changed)")
    parser.add_argument("--base", help="what changed since this commit (default: main~1)")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for one mutant")
    parser.add_argument("--line", type=int, action="append", help="all changes of this line")
    parser.add_argument("--by-hand", action="store_true", help="those that the proof has to find")
    words = parser.parse_args()
    if words.by_hand:
        from tests.proof.by_hand import main as by_hand

        by_hand()
    else:
        _plant(words)


if __name__ == "__main__":
    main()
