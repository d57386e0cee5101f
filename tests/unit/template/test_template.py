"""The stack as CloudFormation would see it: what is there, what stays, what switches do."""

import json
import re
import tomllib

import pytest

from tests.stack.environment import ROOT
from tests.stack.package import TEMPLATE
from tests.stack.template import cycle, of_type, references, resolved, source, translated

SOURCE = source()
EVENTS = sorted((ROOT / "events").glob("*.json"))


@pytest.fixture(scope="module")
def stack():
    return resolved()


def test_every_parameter_is_typed_described_and_has_a_default():
    for name, about in SOURCE["Parameters"].items():
        assert about["Type"] in ("String", "Number"), name
        assert len(about["Description"]) >= 20, name
        assert "Default" in about, name


def test_every_parameter_stands_in_the_forms_groups_once():
    groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(SOURCE["Parameters"])


def test_every_parameter_is_used():
    text = TEMPLATE.read_text().split("\nConditions:\n")[1]
    for name in SOURCE["Parameters"]:
        assert re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text), name


def test_no_resource_waits_for_itself():
    assert cycle(translated()) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("STATE_MACHINE_ARN: !Ref OverflowMachine", r"STATE_MACHINE_ARN: !If\n(.+\n){3}"),
        ("BACKUP_BUCKET: !Ref BucketPolicy", r"BACKUP_BUCKET: .+\n"),
    ],
)
def test_a_cycle_would_be_found(wrong, right):
    text, count = re.subn(right, wrong + "\n", TEMPLATE.read_text(), count=1)
    assert count == 1
    planted = translated(text)
    if "Machine" in wrong:
        assert cycle(planted) is not None
    else:
        assert "BucketPolicy" in references(planted)["BackupFunction"]


def test_the_bucket_is_private_versioned_encrypted_and_has_no_name(stack):
    bucket = stack["Resources"]["Bucket"]["Properties"]
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "BucketName" not in bucket


def test_the_bucket_and_its_policy_outlive_the_stack(stack):
    for name in ("Bucket", "BucketPolicy"):
        resource = stack["Resources"][name]
        # Only a first deployment that fails takes them with it: nothing was ever stored there.
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_an_existing_bucket_is_used_as_it_is():
    attached = resolved({"ExistingBucket": "photos-of-larkfield"})
    assert not of_type(attached, "AWS::S3::Bucket")
    assert not of_type(attached, "AWS::S3::BucketPolicy")
    variables = _variables(attached)
    assert variables["BACKUP_BUCKET"] == "photos-of-larkfield"
    assert attached["Outputs"]["BucketName"]["Value"] == "photos-of-larkfield"


def test_unfinished_uploads_and_work_are_swept_and_nothing_else(stack):
    rules = {each["Id"]: each for each in _lifecycle(stack)}
    assert rules == {
        "sweep-unfinished-uploads": {
            "Id": "sweep-unfinished-uploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        },
        "expire-work": {
            "Id": "expire-work",
            "Status": "Enabled",
            "Prefix": "work/",
            "ExpirationInDays": 90,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        },
        "expire-work-markers": {
            "Id": "expire-work-markers",
            "Status": "Enabled",
            "Prefix": "work/",
            "ExpiredObjectDeleteMarker": True,
        },
    }


def test_lifecycle_rules_stay_under_the_prefix():
    stack = resolved({"BackupPrefix": "photos/smugmug", "GlacierAfterDays": "30"})
    folder = "photos/smugmug/"
    prefixes = {each["Id"]: each.get("Prefix") for each in _lifecycle(stack)}
    assert prefixes == {
        "sweep-unfinished-uploads": None,
        "expire-work": f"{folder}work/",
        "expire-work-markers": f"{folder}work/",
        "originals-to-glacier": f"{folder}originals/",
    }


def test_only_originals_go_to_glacier_and_only_when_asked():
    stack = resolved({"GlacierAfterDays": "30"})
    (rule,) = [each for each in _lifecycle(stack) if "Transitions" in each]
    assert rule["Prefix"] == "originals/"
    assert rule["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": "30"}]


def test_object_lock_is_off_until_it_is_asked_for(stack):
    bucket = stack["Resources"]["Bucket"]["Properties"]
    assert "ObjectLockEnabled" not in bucket
    assert "ObjectLockConfiguration" not in bucket


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_object_lock_keeps_for_a_year_or_more(mode):
    stack = resolved({"ObjectLockMode": mode})
    bucket = stack["Resources"]["Bucket"]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    retention = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": mode, "Days": "365"}
    assert SOURCE["Parameters"]["ObjectLockDays"]["MinValue"] == 365
    # The first choice after "off" is the one that can be undone by somebody.
    assert SOURCE["Parameters"]["ObjectLockMode"]["AllowedValues"][1] == "GOVERNANCE"


def test_the_function_is_what_was_promised(stack):
    function = stack["Resources"]["BackupFunction"]["Properties"]
    assert function["Handler"] == "smugmug_backup.function.handler.lambda_handler"
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert (function["MemorySize"], function["Timeout"]) == ("1769", "900")
    assert function["LoggingConfig"] == {"LogGroup": "<LogGroup>"}
    assert "ReservedConcurrentExecutions" not in function
    assert "TracingConfig" not in function
    assert "FunctionName" not in function


def test_a_failed_run_is_tried_twice_more_and_then_kept(stack):
    config = stack["Resources"]["BackupFunctionEventInvokeConfig"]["Properties"]
    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == "<FailedRuns.Arn>"


def test_failed_runs_and_undelivered_schedules_have_a_queue_each(stack):
    queues = of_type(stack, "AWS::SQS::Queue")
    assert set(queues) == {"FailedRuns", "UndeliveredSchedules"}
    for queue in queues.values():
        assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 24 * 3600}


def test_the_log_group_is_the_stacks_own_and_does_not_grow_for_ever(stack):
    (group,) = of_type(stack, "AWS::Logs::LogGroup").values()
    assert group == {"RetentionInDays": "90"}


def test_records_of_deliveries_expire(stack):
    (table,) = of_type(stack, "AWS::DynamoDB::Table").values()
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]


def test_schedules_have_no_names_that_could_collide(stack):
    schedules = of_type(stack, "AWS::Scheduler::Schedule")
    assert set(schedules) == {
        "BackupFunctionNightly",
        "CheckSchedule",
        "DrillSchedule",
        "SignOfLifeSchedule",
    }
    for schedule in schedules.values():
        assert "Name" not in schedule
        assert schedule["Target"]["Arn"] == "<BackupFunction.Arn>"
        assert schedule["Target"]["RoleArn"] == "<SchedulesRole.Arn>"
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": "<UndeliveredSchedules.Arn>"}


def test_the_nightly_input_names_its_delivery(stack):
    target = stack["Resources"]["BackupFunctionNightly"]["Properties"]["Target"]
    assert json.loads(target["Input"]) == {
        "action": "backup",
        "schedule_arn": "<aws.scheduler.schedule-arn>",
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }


@pytest.mark.parametrize("amount", ["5GB", "5%", "all"])
def test_the_check_reads_as_much_as_was_asked(amount):
    schedule = of_type(resolved({"CheckReadData": amount}), "AWS::Scheduler::Schedule")
    told = json.loads(schedule["CheckSchedule"]["Target"]["Input"])
    assert told == {"action": "check", "read_data": amount}


def test_the_drill_takes_as_many_photos_as_were_asked_for():
    schedule = of_type(resolved({"DrillImages": "7"}), "AWS::Scheduler::Schedule")["DrillSchedule"]
    assert json.loads(schedule["Target"]["Input"]) == {"action": "drill", "images": 7}
    assert schedule["ScheduleExpression"] == "cron(0 7 1 * ? *)"


@pytest.mark.parametrize("nothing", ["", "off"])
def test_the_check_the_drill_and_the_sign_of_life_can_be_left_out(nothing):
    left_out = ("CheckReadData", "DrillExpression", "SignOfLifeExpression")
    stack = resolved(dict.fromkeys(left_out, nothing))
    assert set(of_type(stack, "AWS::Scheduler::Schedule")) == {"BackupFunctionNightly"}


def test_the_schedule_can_be_switched_off():
    schedules = of_type(resolved({"ScheduleState": "DISABLED"}), "AWS::Scheduler::Schedule")
    assert schedules["BackupFunctionNightly"]["State"] == "DISABLED"


def test_a_local_aws_is_told_to_the_function_and_a_real_one_is_not(stack):
    assert "AWS_ENDPOINT_URL" not in _variables(stack)
    local = resolved({"AwsEndpointUrl": "http://127.0.0.1:4566"})
    assert _variables(local)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_outputs_say_where_everything_is(stack):
    wanted = {"BucketName", "FunctionName", "StateMachineArn", "LogGroupName", "AlertTopicArn"}
    assert wanted | {"DashboardUrl", "BackupLocation"} <= set(stack["Outputs"])
    location = resolved({"BackupPrefix": "photos"})["Outputs"]["BackupLocation"]["Value"]
    assert location == "s3://<Bucket>/photos"


def test_samconfig_serves_a_deployment_without_questions():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    deploy = config["default"]["deploy"]["parameters"]
    assert deploy["capabilities"] == "CAPABILITY_IAM"
    assert deploy["confirm_changeset"] is False
    assert deploy["resolve_s3"] is True
    assert config["default"]["global"]["parameters"]["stack_name"]


def test_there_is_an_example_of_every_event():
    assert {each.stem for each in EVENTS} == {
        "accept-rename",
        "accept-shrink",
        "album",
        "backup",
        "backup-albums",
        "check",
        "drill",
        "dry-run",
        "finish",
        "schedule",
        "scheduled-event",
        "sign-of-life",
    }


@pytest.mark.parametrize("path", EVENTS, ids=lambda each: each.stem)
def test_examples_of_events_are_json(path):
    assert isinstance(json.loads(path.read_text()), dict)


def test_shipped_requirements_are_pinned_with_hashes():
    text = (ROOT / "src" / "requirements.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = set()
    for line in lines:
        match = re.fullmatch(r"([a-z0-9_-]+)==[\w.]+ +--hash=sha256:[0-9a-f]{64}", line)
        assert match, line
        names.add(match[1].replace("_", "-"))
    wanted = (ROOT / "src" / "requirements.in").read_text()
    asked = {re.split(r"[>=]", line)[0] for line in wanted.splitlines() if line[:1].isalpha()}
    assert asked == {"aws-lambda-powertools", "boto3", "requests", "requests-oauthlib"}
    assert asked <= names
    assert "rich" not in names


def test_the_package_keeps_every_aws_service_that_the_function_calls():
    makefile = (ROOT / "src" / "Makefile").read_text()
    match = re.search(r"^SERVICES := (.+)$", makefile, re.MULTILINE)
    assert match
    called = set()
    for path in (ROOT / "src" / "smugmug_backup").rglob("*.py"):
        if "cli" not in path.parts:
            called |= set(re.findall(r"client\(\s*\"(\w+)\"", path.read_text()))
    assert "s3" in called
    # Powertools' persistence layer makes the client of the table.
    assert called | {"dynamodb"} <= set(match[1].split())


def _variables(stack):
    return stack["Resources"]["BackupFunction"]["Properties"]["Environment"]["Variables"]


def _lifecycle(stack):
    return stack["Resources"]["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
