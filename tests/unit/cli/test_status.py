"""`smugmug-backup status`: complete or not, and everything that is not as it should be."""

import hashlib
import shutil
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from smugmug_backup.archive.archive import Archive
from smugmug_backup.archive.check_report import CheckReport, Finding, Scope, Wrong
from smugmug_backup.cli import stack
from smugmug_backup.clock import Deadline
from smugmug_backup.errors import AccessRefused
from smugmug_backup.keeping.forget import forget
from smugmug_backup.storage.location import open_store
from smugmug_backup.storage.remove import FolderRemover
from tests.tools.clock import START


def test_it_says_that_it_is_not_complete_and_as_of_when_it_was(shell, sample, folder):
    ran = shell("status", folder)
    assert ran.status == 1 and ran.err == ""
    first = ran.out.splitlines()[0]
    assert first.startswith("complete   no (incomplete)") and "2026-11-27 03:00 UTC" in first


def all_well(sample):
    sample.source.errors.clear()
    sample.nights.next_night()


def test_a_health_check_has_one_line_and_reads_the_reports_alone(
    shell, sample, folder, monkeypatch
):
    ran = shell("status", folder, "--healthy")
    said = "not complete, it last was complete as of 2026-11-27 03:00 UTC\n"
    assert (ran.status, ran.out, ran.err) == (1, said, "")

    all_well(sample)
    shutil.rmtree(folder / "manifests")
    shutil.rmtree(folder / "originals")
    ran = shell("status", folder, "--healthy")
    assert (ran.status, ran.out) == (0, "complete, as of 2026-11-29 03:00 UTC\n")
    assert shell("status", folder, "--healthy", "--quiet").out == ""
    assert shell("status", folder, "--healthy", "--json").json == {
        "well": True,
        "verdict": "complete",
        "complete": True,
        "complete_as_of": "2026-11-29T03:00:00Z",
        "silent_days": None,
    }

    sample.clock.advance(hours=80)
    ran = shell("status", folder, "--healthy")
    said = "no run has ended for 3 days, it last was complete as of 2026-11-29 03:00 UTC\n"
    assert (ran.status, ran.out) == (1, said)


def test_a_health_check_before_the_first_run_has_ended_says_so(shell, tmp_path):
    open_store(str(tmp_path / "b"), create=True)
    ran = shell("status", tmp_path / "b", "--healthy")
    assert (ran.status, ran.out) == (2, "")
    assert "holds no backup: no run reports" in ran.err


def test_it_says_that_it_is_complete_when_it_is(shell, sample, folder):
    all_well(sample)
    ran = shell("status", folder)
    assert ran.status == 0
    assert ran.out.startswith("complete   yes, as of 2026-11-29 03:00 UTC\n")
    assert shell("status", folder, "--json").json["complete"] is True


@pytest.mark.parametrize(("hours", "status"), [(49, 0), (51, 1), (24 * 60, 1)])
def test_it_ends_with_1_when_nothing_ran_for_longer_than_two_nights(
    shell, sample, folder, hours, status
):
    all_well(sample)
    sample.clock.advance(hours=hours)
    ran = shell("status", folder)
    assert ran.status == status
    assert ran.out.startswith("NO RUN     has ended for ") is bool(status)
    assert "complete   yes, as of 2026-11-29 03:00 UTC" in ran.out
    assert shell("status", folder, "--json").json["silent_days"] == (
        hours // 24 if status else None
    )


def test_runs_over_chosen_albums_neither_judge_the_account_nor_break_the_silence(
    shell, sample, folder
):
    all_well(sample)
    for _ in range(6):
        sample.clock.advance(hours=1)
        sample.nights.run(albums=("alps",))
    ran = shell("status", folder)
    assert ran.status == 0 and ran.out.startswith("complete   yes, as of 2026-11-29 03:00 UTC\n")
    sample.clock.advance(days=3)
    sample.nights.run(albums=("alps",))
    assert shell("status", folder).status == 1


def test_a_run_that_is_still_at_work_elsewhere_is_not_complete(shell, sample, folder):
    sample.clock.advance(days=1)
    sample.nights.run(deadline=Deadline.after(sample.clock, 0))
    ran = shell("status", folder)
    assert ran.status == 1 and ran.out.startswith("complete   no (continuing)")


# -- the check -----------------------------------------------------------------------------------


def checked(sample, *findings, **more):
    """A check's report, written now."""
    now = sample.clock.now()
    values = {
        "run_id": f"{now:%Y%m%dT%H%M%SZ}-0000abcd",
        "previous": (),
        "started_at": now,
        "ended_at": now,
        "trigger": None,
        "sound": not findings,
        "history": False,
        "of_run": sample.nights.reports[-1].run_id,
        "objects": 40,
        "read_objects": 3,
        "read_bytes": 36,
        "findings": findings,
    }
    return Archive(sample.store).write_check(CheckReport(**values | more))


def damaged(sample):
    """A finding: the bytes of the first image of harbour."""
    entry = next(e for e in sample.nights.manifest("harbour").entries.values() if e.original.key)
    return Finding(
        entry.original.key,
        "harbour",
        entry.image_key,
        Wrong.DAMAGED,
        Scope.STATE,
        sample.clock.now(),
        "its bytes do not have the SHA-256 of its line",
    )


def test_what_was_never_checked_says_so(shell, sample, folder):
    assert "checked    never; `smugmug-backup check LOCATION`" in shell("status", folder).out
    assert shell("status", folder, "--json").json["check"] is None


def test_the_last_check_is_told_with_what_it_did_not_look_at(shell, sample, folder):
    all_well(sample)
    checked(sample, not_checked=["3 originals lie in an archive class"])
    ran = shell("status", folder)
    assert ran.status == 0
    line = "checked    2026-11-29 03:00 UTC (today), 40 objects listed, 36 B read again: sound"
    assert line in ran.out.splitlines()
    assert "not checked: 3 originals lie in an archive class" in ran.out
    said = shell("status", folder, "--json").json["check"]
    assert (said["sound"], said["open"], said["read_bytes"]) == (True, 0, 36)


def test_damage_that_a_check_found_ends_with_1_and_is_named_until_it_is_mended(
    shell, sample, folder
):
    all_well(sample)
    finding = damaged(sample)
    (folder / finding.key).write_bytes(b"rotten")
    checked(sample, finding)
    ran = shell("status", folder)
    assert ran.status == 1
    assert "NOT SOUND, 1 open finding" in ran.out
    assert f"{finding.key}\tdamaged: its bytes do not have the SHA-256 of its line" in ran.out
    sample.nights.next_night()
    sample.nights.next_night()
    ran = shell("status", folder)
    assert "what it found is mended" in ran.out and "Damaged" not in ran.out
    assert ran.status == 0


# -- one thing that is broken hides no other -----------------------------------------------------


def newest_of(folder, album):
    return max((folder / "manifests" / album).iterdir())


def test_a_damaged_newest_manifest_is_named_and_hides_no_other_album(shell, sample, folder):
    all_well(sample)
    manifest = newest_of(folder, "alps")
    manifest.write_bytes(manifest.read_bytes()[:-20])
    ran = shell("status", folder)
    assert ran.status == 1 and ran.err == ""
    assert "Albums whose newest version is damaged or cannot be read (1)" in ran.out
    assert f"{manifest.name} " in ran.out
    assert "DSC_00005.JPG\tTravel / Harbour & Quay 2024\thas left\t2026-11-27" in ran.out
    said = shell("status", folder, "--json").json
    assert list(said["damaged"]) == ["alps"] and said["images"] == 10


def test_a_damaged_report_and_one_of_a_clock_ahead_are_passed_over_and_named(shell, sample, folder):
    all_well(sample)
    *_, before, last = sample.nights.reports
    (folder / last.key).write_bytes(b"{")
    ahead = folder / "runs" / "2027" / "11" / "20271124T030000Z-00000001.json"
    ahead.parent.mkdir(parents=True)
    ahead.write_bytes((folder / before.key).read_bytes())
    out = shell("status", folder).out
    assert f"{last.key} is damaged; it is passed over" in out
    assert "run 20271124T030000Z-00000001 is passed over: it was made by a clock" in out
    assert len(shell("status", folder, "--json").json["passed_over"]) == 2


def test_a_store_whose_reports_are_all_lost_is_told_by_its_manifests(shell, sample, folder):
    for report in sample.nights.reports:
        (folder / report.key).unlink()
    ran = shell("status", folder)
    assert ran.status == 1 and ran.out.startswith("complete   no run has ended yet\n")
    assert "images     10" in ran.out and "late.jpg\t" in ran.out


def test_the_seal_is_the_sha_256_of_the_newest_report(shell, sample, folder):
    report = sample.nights.reports[-1]
    seal = hashlib.sha256((folder / report.key).read_bytes()).hexdigest()
    assert f"seal       {seal} (run {report.run_id})" in shell("status", folder).out
    said = shell("status", folder, "--json").json["seal"]
    assert said == [{"run_id": report.run_id, "sha256": seal}]


def test_everything_that_is_not_as_it_should_be_is_named_with_its_reason(shell, sample, folder):
    out = shell("status", folder).out
    for line in (
        "late.jpg\tTravel / Harbour & Quay 2024\trefused_by_source\t2026-11-28",
        "no_original.jpg\tTravel / Alps \u2014 \u5c71\tno_original_url\t2026-11-24",
        "no_md5.jpg\tTravel / Alps \u2014 \u5c71\tSmugMug states no MD5\t-",
        "DSC_00005.JPG\tTravel / Harbour & Quay 2024\thas left\t2026-11-27",
        "Travel / Old things\tsince 2026-11-27\tgone",
    ):
        assert line in out.splitlines()


def test_what_its_owner_forgot_is_not_laid_at_smugmugs_door(shell, sample, folder):
    image = sample.source.world["harbour"].images[0].key
    sample.clock.advance(hours=1)
    forget(
        Archive(sample.store),
        FolderRemover(folder),
        (image,),
        clock=sample.clock,
        token="0f0f0f0f",
        map_=map,
    )
    sample.nights.next_night()
    out = shell("status", folder).out
    name = sample.source.find(image).file_name
    (part,) = (each for each in out.split("\n\n") if name in each)
    assert part.startswith("Forgotten")
    assert "Unavailable: SmugMug does not have the bytes (1)" in out


def test_albums_missing_not_believed_ignored_and_failed_are_named(shell, sample, folder):
    sample.source.errors["images:alps"] = AccessRefused("wrong password", api_code=4)
    sample.source.album("later", "Soon gone", images=1)
    sample.nights.next_night()
    sample.source.world["harbour"].own_count_off = 3
    sample.source.world["harbour"].count_off = 2
    del sample.source.world["later"]
    sample.nights.options = type(sample.nights.options)(
        concurrency=2, ignore_albums=frozenset({"alps"})
    )
    sample.nights.next_night()
    said = shell("status", folder, "--json").json
    assert said["missing_albums"] == ["later"]
    assert said["ignored_albums"] == ["alps"]
    assert said["not_believed"] == ["harbour"]
    out = shell("status", folder).out
    assert "Albums missing" in out and "IGNORE_ALBUMS" in out and "not believed" in out
    assert "Failures of the last run" in out


def test_json_counts_what_the_store_holds(shell, sample, folder):
    said = shell("status", folder, "--json").json
    originals = [path for path in (folder / "originals").rglob("*") if path.is_file()]
    assert said["originals"] == len(originals)
    assert said["bytes"] == sum(path.stat().st_size for path in originals)
    assert said["versions"] == len(list((folder / "manifests").rglob("*.jsonl")))
    assert (said["albums"], said["albums_gone"], said["images"]) == (2, 1, 10)
    assert [run["status"] for run in said["runs"]] == ["incomplete"] + ["complete"] * 4
    assert {each["image_key"] for each in said["pending"]} == {"i000018"}


def test_long_lists_are_cut_unless_all_is_asked_for(shell, sample, folder):
    for _ in range(12):
        sample.source.upload("alps", has_md5=False)
    sample.nights.next_night()
    assert "3 more (--all)" in shell("status", folder).out
    assert "(--all)" not in shell("status", folder, "--all").out


def test_so_many_runs_as_asked_for(shell, sample, folder):
    assert len(shell("status", folder, "--runs", "2", "--json").json["runs"]) == 2


def test_the_example_of_the_help_runs(shell, sample, folder):
    for words in (["--help"], ["status", "--help"]):
        line = shell(*words).out.strip().splitlines()[-1]
        assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 1
    all_well(sample)
    assert shell.line(line.replace("~", str(folder.parent)).strip()).status == 0


# -- the stack -----------------------------------------------------------------------------------


@pytest.fixture
def aws(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


def deploy(monkeypatch, *, state="ENABLED", email=None):
    """A schedule and a topic, and a stack that names them (moto deploys no stacks here)."""
    boto3.client("scheduler").create_schedule(
        Name="nightly",
        State=state,
        ScheduleExpression="cron(0 3 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:lambda:x", "RoleArn": "arn:aws:iam::1:role/x"},
    )
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    if email:
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=email)
    resources = [
        ("AWS::Lambda::Function", "function"),
        ("AWS::Scheduler::Schedule", "nightly"),
        ("AWS::SNS::Topic", topic),
    ]
    answer_of_cloudformation(
        monkeypatch,
        lambda stub: stub.add_response(
            "list_stack_resources",
            {
                "StackResourceSummaries": [
                    {
                        "ResourceType": kind,
                        "PhysicalResourceId": physical,
                        "LogicalResourceId": "x",
                        "LastUpdatedTimestamp": START,
                        "ResourceStatus": "CREATE_COMPLETE",
                    }
                    for kind, physical in resources
                ]
            },
        ),
    )


def answer_of_cloudformation(monkeypatch, prepare):
    real = stack._client

    def client(service):
        made = real(service)
        if service == "cloudformation":
            stub = Stubber(made)
            prepare(stub)
            stub.activate()
        return made

    monkeypatch.setattr(stack, "_client", client)


def test_a_stack_whose_schedule_is_on_and_whose_alarms_are_heard(
    aws, shell, sample, folder, monkeypatch
):
    deploy(monkeypatch, email="owner@example.com")
    out = shell("status", folder, "--stack", "photos").out
    assert "schedule nightly (cron(0 3 * * ? *)) is on" in out
    assert "alarms go to owner@example.com" in out
    said = shell("status", folder, "--stack", "photos", "--json").json["stack"]
    assert said["confirmed"] == ["owner@example.com"] and said["schedules"][0]["on"]


def test_a_schedule_that_is_off_and_a_topic_without_listeners_are_told(
    aws, shell, sample, folder, monkeypatch
):
    deploy(monkeypatch, state="DISABLED")
    out = shell("status", folder, "--stack", "photos").out
    assert "is OFF" in out and "nobody hears" in out


def test_an_address_that_was_never_confirmed_is_told(aws, monkeypatch):
    deploy(monkeypatch)
    monkeypatch.setattr(
        stack, "_subscriptions", lambda topic: [("owner@example.com", "PendingConfirmation")]
    )
    ((line, good),) = [each for each in stack.stack_status("photos").lines() if "@" in each[0]]
    assert "has not confirmed" in line and not good


def test_a_stack_that_is_not_there_and_one_that_is_not_shown_are_told(
    aws, shell, sample, folder, monkeypatch
):
    def prepare(stub):
        stub.add_client_error(
            "list_stack_resources", "ValidationError", "Stack with id nothing does not exist"
        )

    answer_of_cloudformation(monkeypatch, prepare)
    ran = shell("status", folder, "--stack", "nothing")
    assert ran.status == 2 and "there is no stack nothing" in ran.err

    monkeypatch.undo()
    answer_of_cloudformation(
        monkeypatch, lambda stub: stub.add_client_error("list_stack_resources", "AccessDenied")
    )
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    ran = shell("status", folder, "--stack", "nothing")
    assert ran.status == 2 and "cloudformation:ListStackResources" in ran.err
    assert "the AWS credentials that are used need" in ran.err
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "backup")
    assert "the function's role needs" in shell("status", folder, "--stack", "nothing").err
    assert ran.out.startswith("complete   no (incomplete)")
    ran = shell("status", folder, "--stack", "nothing", "--json")
    assert ran.status == 2 and ran.json["stack"] is None and ran.json["images"] == 10


def test_age_is_told(sample):
    from smugmug_backup.cli.output import ago

    now = sample.clock.now()
    said = [ago(now - timedelta(days=days), now) for days in (-1, 0, 1, 50)]
    assert said == ["today", "today", "yesterday", "50 days ago"]
