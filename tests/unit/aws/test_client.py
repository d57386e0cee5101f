"""The one maker of AWS clients: the same region, endpoint, time-outs and user agent for all."""

import re
import socket
import tomllib
from pathlib import Path

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

import smugmug_backup
from smugmug_backup.aws.client import aws_client, region_in_use
from smugmug_backup.aws.errors import AwsError, AwsRefused, aws_error
from smugmug_backup.aws.secret import read_secret
from smugmug_backup.cli.vault import vault_of
from smugmug_backup.errors import BadRequest
from smugmug_backup.settings import SecretName
from tests.tools.local_s3 import set_environment

ROOT = Path(__file__).parents[3]
SERVICES = ["s3", "secretsmanager", "ssm", "sns", "cloudwatch", "stepfunctions"]
SERVICES += ["cloudformation", "scheduler", "events", "dynamodb"]


@pytest.fixture
def bare(monkeypatch):
    """Credentials, and nothing else of AWS is set."""
    set_environment(monkeypatch)
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    return monkeypatch


def test_nothing_else_in_the_program_makes_a_client_of_aws():
    maker = re.compile(r"^\s*(?:import|from) (?:boto3|botocore\.session)\b", re.MULTILINE)
    sources = (ROOT / "src").rglob("*.py")
    assert [each.name for each in sources if maker.search(each.read_text())] == ["client.py"]


def test_aws_region_counts_and_before_the_other_two(bare, tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-3\n")
    bare.setenv("AWS_CONFIG_FILE", str(config))
    assert aws_client("ssm").meta.region_name == "eu-west-3"
    bare.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert aws_client("ssm").meta.region_name == "eu-west-2"
    bare.setenv("AWS_REGION", "eu-west-1")
    assert aws_client("ssm").meta.region_name == region_in_use() == "eu-west-1"


def test_a_profile_of_aws_login_that_cannot_be_used_here_is_said_with_what_helps(bare, tmp_path):
    config = tmp_path / "config"
    login = "arn:aws:iam::123456789012:user/anna"
    config.write_text(f"[profile anna]\nregion = eu-west-3\nlogin_session = {login}\n")
    bare.setenv("AWS_CONFIG_FILE", str(config))
    bare.delenv("AWS_ACCESS_KEY_ID")
    bare.delenv("AWS_SECRET_ACCESS_KEY")
    bare.setattr("botocore.credentials.EC", None)  # As without awscrt, which this program has not.
    with pytest.raises(AwsRefused) as caught:
        aws_client("s3", profile="anna")
    assert "aws login" in str(caught.value) and "botocore[crt]" in str(caught.value)


@pytest.mark.parametrize("service", [each for each in SERVICES if each != "s3"])
def test_no_region_at_all_is_one_sentence_that_helps(bare, service):
    with pytest.raises(AwsRefused) as caught:
        aws_client(service)
    assert str(caught.value).startswith("no AWS region is set; set AWS_REGION")
    bare.setenv("AWS_REGION", "eu-central-1")
    assert aws_client(service).meta.region_name == "eu-central-1"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("endpoint", ["http://nas.example:4566", "http://169.254.1.1"])
def test_plain_http_to_another_machine_is_refused_whatever_is_asked(bare, service, endpoint):
    bare.setenv("AWS_REGION", "us-east-1")
    bare.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(BadRequest, match="must be https"):
        aws_client(service)


@pytest.mark.parametrize("variable", [None, "AWS_ENDPOINT_URL"])
def test_an_endpoint_that_is_no_url_is_named_by_where_it_was_set(bare, variable):
    bare.setenv("AWS_REGION", "us-east-1")
    given = "http://[nas:4566"
    if variable is not None:
        bare.setenv(variable, given)
    with pytest.raises(AwsRefused, match=rf"\({variable or '--endpoint-url'}\) is no URL"):
        aws_client("s3", endpoint=None if variable else given)


@pytest.mark.parametrize("kind", ["ssm", "secretsmanager"])
def test_a_secret_is_neither_read_nor_written_over_plain_http(bare, kind):
    bare.setenv("AWS_REGION", "us-east-1")
    bare.setenv("AWS_ENDPOINT_URL", "http://nas.example:4566")
    bare.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("it was looked up"))
    name = SecretName.parse(f"{kind}:/smugmug-backup/secret")
    with pytest.raises(BadRequest, match="must be https"):
        read_secret(name)
    with pytest.raises(BadRequest, match="must be https"):
        vault_of(name)


@pytest.mark.parametrize("kind", ["ssm", "secretsmanager"])
def test_a_vault_without_a_region_or_profile_is_told_not_a_crash(bare, kind):
    name = SecretName.parse(f"{kind}:/smugmug-backup/secret")
    with pytest.raises(AwsError, match="set AWS_REGION"):
        vault_of(name)
    bare.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsError, match="look at AWS_PROFILE"):
        vault_of(name)


@pytest.mark.parametrize("service", SERVICES)
def test_an_endpoint_on_this_machine_is_asked_directly(bare, service):
    bare.setenv("AWS_REGION", "us-east-1")
    bare.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    bare.setenv("HTTP_PROXY", "http://proxy.example:3128")
    bare.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
    client = aws_client(service)
    assert client.meta.endpoint_url == "http://localhost:4566"
    assert client.meta.config.proxies == {}


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_that_is_stuck_gives_up_within_the_reserve_of_a_run(bare, service):
    bare.setenv("AWS_REGION", "us-east-1")
    config = aws_client(service).meta.config
    attempt = config.connect_timeout + config.read_timeout
    assert config.retries["total_max_attempts"] * attempt < 60


def test_aws_is_told_which_program_asks_and_which_version(bare):
    bare.setenv("AWS_REGION", "us-east-1")
    client = aws_client("sns")
    seen = []

    def answer(request, **_):
        seen.append(request.headers["User-Agent"])
        return AWSResponse(request.url, 200, {}, Empty())

    client.meta.events.register_first("before-send.sns", answer)
    client.publish(TopicArn="arn:aws:sns:us-east-1:1:x", Message="x")
    dynamic = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
    assert dynamic["version"] == {"attr": "smugmug_backup.__version__"}
    assert f"smugmug-backup/{smugmug_backup.__version__}".encode() in seen[0]


class Empty:
    """The body of an answer without one."""

    def stream(self, *_, **__):
        yield b"<PublishResponse><PublishResult/></PublishResponse>"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UnrecognizedClientException", "does not know this access key"),
        ("ExpiredTokenException", "log in again"),
        ("InvalidSignatureException", "secret access key"),
    ],
)
def test_a_login_that_does_not_hold_is_told_by_every_service_alike(bare, code, words):
    refusal = ClientError({"Error": {"Code": code, "Message": "secret words"}}, "GetParameter")
    told = aws_error(refusal, doing="reading", permission="ssm:GetParameter")
    assert isinstance(told, AwsRefused)
    assert words in str(told)
    assert "secret words" not in str(told)
