"""A first deployment with mistakes made on purpose: each ends in a message that says what to do."""

import pytest

from tests.local_smugmug import generate_account

BY_HAND = {"action": "backup"}


@pytest.fixture(scope="module")
def deployment(deployment_of):
    with deployment_of() as deployment:
        yield deployment


@pytest.fixture
def secret(deployment):
    """Puts another secret, and the right one back."""
    yield deployment.stack.put_secret
    deployment.stack.put_secret(deployment.world.account.secret())


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"api_key": "wrong"}, "key"),
        ({"access_token_secret": "wrong"}, "authori"),
        ({"access_token": "revoked"}, "authori"),
        ({"api_secret": ""}, "api_secret"),
    ],
    ids=["wrong key", "wrong token secret", "revoked token", "half of the token"],
)
def test_wrong_credentials(deployment, secret, change, names):
    secret(deployment.world.account.secret() | change)
    message = deployment.refused(BY_HAND)
    assert names in message.lower()
    assert not any(value and value in message for value in change.values())


@pytest.mark.parametrize("text", [" ", "{}", "not json", "[]", '{"api_key": 5}'])
def test_an_unusable_secret(deployment, secret, text):
    secret(text)
    message = deployment.refused(BY_HAND)
    assert deployment.stack.parameters["SecretName"] in message


def test_a_secret_that_is_not_there(deployment, secret):
    name = deployment.stack.parameters["SecretName"]
    deployment.stack.aws.client("ssm").delete_parameter(Name=name)
    message = deployment.refused(BY_HAND)
    assert name in message
    assert "does not exist" in message


def test_the_nickname_of_somebody_else(deployment):
    with deployment.stack.with_environment(SMUGMUG_NICKNAME="somebody"):
        message = deployment.refused(BY_HAND)
    assert "somebody" in message
    assert deployment.world.account.nickname in message


def test_the_nickname_of_nobody_without_a_token(deployment, secret):
    secret(deployment.world.account.secret(signed=False))
    with deployment.stack.with_environment(SMUGMUG_NICKNAME="nobody"):
        message = deployment.refused(BY_HAND)
    assert "nickname" in message.lower()


@pytest.mark.parametrize("retired", ["404", "html", "17", "redirect"])
def test_an_api_that_is_switched_off(deployment, retired):
    # Of a backup that was made through it: a new one would begin with the other API.
    deployment.invoke(BY_HAND)
    deployment.smugmug.switches.retired = retired
    try:
        assert "SMUGMUG_API=v2" in deployment.refused(BY_HAND)
    finally:
        deployment.smugmug.switches.retired = ""


def test_the_bucket_of_another_account(deployment, deployment_of):
    deployment.invoke(BY_HAND)
    with deployment_of(
        generate_account(seed=99, albums=1), ExistingBucket=deployment.stack.bucket
    ) as second:
        before = second.stack.keys()
        message = second.refused(BY_HAND)
        assert deployment.world.account.nickname in message
        assert "prefix of its own" in message
        assert second.stack.keys() == before


def test_a_bucket_that_does_not_exist(deployment_of):
    with deployment_of(ExistingBucket="nobody-made-this-bucket") as deployment:
        message = deployment.refused(BY_HAND)
        assert "nobody-made-this-bucket" in message


def test_removing_the_stack_keeps_the_bucket_and_a_second_one_on_it_goes_on(
    deployment, deployment_of
):
    """The last of this file: `deployment` is gone after it."""
    deployment.invoke(BY_HAND)
    bucket, aws = deployment.stack.bucket, deployment.stack.aws
    with deployment_of(ExistingBucket=bucket) as second:
        assert second.stack.bucket == bucket
        # Two stacks on one bucket do no harm.
        result = second.invoke(BY_HAND)
        assert (result["status"], result["counts"]["originals_stored"]) == ("complete", 0)
        policy = aws.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
        deployment.stack.delete()
        assert aws.client("s3").get_bucket_policy(Bucket=bucket)["Policy"] == policy
        result = second.invoke(BY_HAND)
        assert (result["status"], result["counts"]["originals_stored"]) == ("complete", 0)
        second.world.upload(next(iter(second.world.account.albums)))
        assert second.invoke(BY_HAND)["counts"]["originals_stored"] == 1
        assert second.everything_is_there()
