"""Planted defects: which there are, which tests are nearest, and what becomes of them."""

import subprocess
import sys

import pytest

from tests.proof import mutants
from tests.proof.mutants import ROOT, nearest, planted
from tests.tools.planting import changes

MODULE = '''"""A module."""


def larger(a: int, b: int) -> int:
    """The larger one."""
    if a > b:
        return a
    return b


def unasked(a: int) -> int:
    """Nobody tests it."""
    return a + 1
'''


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("x = a < b", "x = (a <= b)"),
        ("x = a and b", "x = (a or b)"),
        ("x = a and b", "x = (b)"),
        ("x = not a", "x = (a)"),
        ("if a: b = 1", "if (False): b = 1"),
        ("x = 1", "x = (2)"),
        ("x = True", "x = (False)"),
        ("x = a + b", "x = (a - b)"),
        ("x = a if b else c", "x = (c if b else a)"),
        ("x = min(a)", "x = (max(a))"),
        ("x = sorted(a, key=b)", "x = (list(a))"),
        ("x = f(a, b)", "x = (f(b, a))"),
        ("def f(): return a", "def f(): return (None)"),
        ("def f(): a = b", "def f(): pass"),
        ("f()", "pass"),
        ("raise a", "pass"),
        ("while a:\n    break", "while a:\n    continue"),
        ("while a:\n    continue", "while a:\n    break"),
        ("try: a\nexcept b: pass", "try: a\nexcept (): pass"),
        ("try: a\nexcept (b, c): pass", "try: a\nexcept (c,): pass"),
    ],
)
def test_a_defect_of_each_kind_is_planted(source, after):
    assert after in [each.applied(source) for each in changes(source)]


def test_every_defect_leaves_the_lines_where_they_are_and_can_be_compiled():
    path = ROOT / "src/smugmug_backup/backup/originals.py"
    source = path.read_text()
    found = changes(source)
    assert len(found) > 200
    for each in found:
        changed = each.applied(source)
        compile(changed, str(path), "exec")
        assert changed.count("\n") == source.count("\n"), str(each)


def test_texts_and_annotations_stay_as_they_are():
    source = 'def f(a: Literal[1] = b) -> Literal[2]:\n    """Text 1."""\n    print(f"{a + 1}")\n'
    assert [each.after for each in changes(source)] == ["pass"]


def test_the_same_seed_plants_the_same_defects():
    sources = {"a.py": MODULE, "b.py": MODULE}
    assert planted(sources, count=5, seed=1) == planted(sources, count=5, seed=1)
    assert planted(sources, count=5, seed=1) != planted(sources, count=5, seed=2)
    assert len(planted(sources, count=1000, seed=1)) == 2 * len(changes(MODULE))


def test_a_modules_own_tests_are_asked_first_and_the_rules_last():
    near = nearest("src/smugmug_backup/backup/belief.py")
    assert near[0] == "tests/unit/backup/test_belief.py"
    assert near[-1] == "tests/unit/backup/test_rules.py"


def test_a_module_without_tests_of_its_own_is_asked_of_its_room():
    near = nearest("src/smugmug_backup/restore/ahead.py")
    assert "tests/unit/restore/test_perform.py" in near


def test_those_that_test_what_imports_a_module_are_asked_too():
    assert "tests/unit/check/test_check.py" in nearest("src/smugmug_backup/check/albums.py")
    # By archive/transfer.py, which has no tests of its own either.
    assert "tests/unit/keeping/test_copy.py" in nearest("src/smugmug_backup/archive/stated.py")
    assert "tests/unit/cli/test_restore.py" in nearest("src/smugmug_backup/cli/thaw.py")


def test_of_a_room_with_tests_for_each_command_those_that_do_not_know_a_module_are_not_asked():
    near = nearest("src/smugmug_backup/cli/catalogs.py")
    assert "tests/unit/cli/test_find.py" in near
    assert "tests/unit/cli/test_status.py" not in near


def test_a_defect_that_a_test_sees_is_noticed_and_one_that_none_sees_survives(tmp_path):
    source, tests = tmp_path / "src/smugmug_backup/a.py", tmp_path / "tests/unit/test_a.py"
    for each in (source, tests):
        each.parent.mkdir(parents=True)
    source.write_text(MODULE)
    (source.parent / "__init__.py").touch()
    tests.write_text(
        "from smugmug_backup.a import larger\n\n"
        "def test_the_larger_one_is_found():\n    assert larger(1, 2) == larger(2, 1) == 2\n"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    # In a process of its own: it must not know the package yet.
    program = (
        "import sys; from pathlib import Path; from tests.proof import mutants\n"
        f"mutants.ROOT = Path({str(tmp_path)!r}); mutants._HEAVY = ('pytest',)\n"
        "sys.argv = ['mutants', 'a.py']; near = mutants.nearest\n"
        "mutants.nearest = lambda module: near(module, mutants.ROOT)\n"
        "mutants.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lived = [line for line in done.stdout.splitlines() if line.startswith("survived: ")]
    where = "survived: src/smugmug_backup/a.py:"
    assert f"{where}13: value: a + 1  ->  (a - 1)" in lived
    assert f"{where}6: comparison: a > b  ->  (a >= b)" in lived
    assert not any("branch" in line or ":7:" in line or ":8:" in line for line in lived), lived
    assert "noticed" in done.stdout
    assert source.read_text() == MODULE


def test_tests_that_fail_by_themselves_prove_nothing_and_are_told(tmp_path, monkeypatch):
    (tmp_path / "src").mkdir()
    (tmp_path / "test_b.py").write_text("def test_it(): assert False\n")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    program = (
        "from pathlib import Path; from tests.proof import mutants\n"
        f"mutants.ROOT = Path({str(tmp_path)!r})\n"
        f"mutants.Bench(Path({str(tmp_path / 'bench')!r})).prove(['test_b.py'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "the tests do not hold, though nothing is planted" in done.stderr


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match="there is no module attic"):
        mutants.named_modules(["attic"])
