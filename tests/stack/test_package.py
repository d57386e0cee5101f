"""What `sam build` makes: only what the function needs, for any processor, with byte-code."""

import json
import subprocess
import sys
from importlib.util import cache_from_source

import pytest

from tests.stack.environment import VENVS
from tests.stack.package import FUNCTION, KEEPING, OWNERS, built_package, python_version
from tests.stack.template import source

pytestmark = pytest.mark.stack

PYTHON = VENVS / "ministack" / "bin" / "python"


@pytest.fixture(scope="module")
def package():
    return built_package()


def test_only_what_the_function_imports_is_shipped(package):
    shipped = {each.name.split("-")[0] for each in package.iterdir()} - {"__pycache__"}
    assert shipped == {
        *(
            "aws_lambda_powertools",
            "boto3",
            "botocore",
            "certifi",
            "charset_normalizer",
            "dateutil",
        ),
        *("idna", "jmespath", "oauthlib", "python_dateutil", "requests", "requests_oauthlib"),
        *("s3transfer", "six", "six.py", "smugmug_backup", "typing_extensions", "urllib3"),
        "typing_extensions.py",
    }


def test_no_room_of_the_owners_tool_is_shipped(package):
    ours = package / "smugmug_backup"
    assert not [room for room in OWNERS if (ours / room).exists()]
    kept = {str(each.relative_to(ours / "keeping")) for each in (ours / "keeping").rglob("*.py")}
    assert kept <= set(KEEPING)
    assert not (package / "bin").exists()


def test_it_runs_on_any_processor_and_version(package):
    for wheel in package.glob("*.dist-info/WHEEL"):
        tags = [line for line in wheel.read_text().splitlines() if line.startswith("Tag:")]
        assert any(tag.startswith("Tag: py3-none-any") or "-py3-" in tag for tag in tags), wheel
    assert not list(package.rglob("*.so"))


def test_schemas_are_shipped(package):
    assert list((package / "smugmug_backup").rglob("*.schema.json"))


def test_it_is_small_enough_to_start_fast(package):
    size = sum(each.stat().st_size for each in package.rglob("*") if each.is_file())
    assert size < 30_000_000


def test_byte_code_of_every_module_is_shipped_for_the_runtime(package):
    assert python_version() == f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for module in package.rglob("*.py"):
        code = cache_from_source(str(module))
        with open(code, "rb") as file:
            # Unchecked hash: files in a package have no times to compare with (PEP 552).
            assert file.read(8)[4:] == b"\x01\x00\x00\x00", code


def test_the_handler_every_action_and_every_other_module_that_is_shipped_can_be_imported(package):
    script = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module(sys.argv[2].rpartition(".")[0])
handled = sorted(sys.modules)
import smugmug_backup
for each in pkgutil.walk_packages(smugmug_backup.__path__, "smugmug_backup."):
    importlib.import_module(each.name)
import boto3
for service in ("s3", "ssm", "secretsmanager", "stepfunctions", "dynamodb", "sns"):
    boto3.client(service, region_name="us-east-1")
print(json.dumps([handled, sorted(sys.modules)]))
"""
    handler = source()["Resources"][FUNCTION]["Properties"]["Handler"]
    # -I and -S: no environment, no site-packages; ministack's workers would find modules there.
    done = subprocess.run(
        [PYTHON, "-I", "-S", "-B", "-c", script, package, handler],
        capture_output=True,
        text=True,
        check=False,
        env={"POWERTOOLS_SERVICE_NAME": "test"},
    )
    assert done.returncode == 0, done.stderr
    handled, everything = json.loads(done.stdout)
    assert "smugmug_backup.function.actions" in handled
    assert "rich" not in everything
    shipped = {
        "smugmug_backup." + ".".join(each.relative_to(package / "smugmug_backup").parts)[:-3]
        for each in (package / "smugmug_backup").rglob("*.py")
        if each.name != "__init__.py"
    }
    assert shipped <= set(everything)
