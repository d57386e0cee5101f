"""Environment variables: what a machine sets must neither disturb the tests nor be used by them."""

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venvs"

REGION = "us-east-1"
ACCOUNT = "123456789012"
ACCESS_KEY = "test"
"""ministack takes this key, and its own account's number, for the account's root."""

MACHINE: Mapping[str, str] = dict(os.environ)
"""The variables as the machine sets them; pip may need its proxies and certificates."""

_SETTINGS = (
    *("BACKUP_", "SMUGMUG_", "POWERTOOLS_", "AWS_", "MAX_C", "IDEMPOTENCY_", "STATE_MACHINE_"),
    *("RESERVE_", "FULL_LISTING_", "IGNORE_ALBUMS", "MAP_", "ALERT_TOPIC_"),
)
_NETWORK = ("_PROXY", "_CA_BUNDLE")


def is_disturbing(name: str) -> bool:
    """Whether a variable could lead a test to real credentials, hosts or settings."""
    return name.startswith(_SETTINGS) or name.upper().endswith(_NETWORK)


def clean() -> None:
    """Take such variables out of this process, and keep boto3 from looking for credentials."""
    for name in [each for each in os.environ if is_disturbing(each)]:
        del os.environ[name]
    os.environ.update(aws_environment())


def aws_environment(endpoint: str | None = None) -> dict[str, str]:
    """The variables by which boto3, and every AWS tool, finds the local AWS and nothing else."""
    found = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if endpoint is not None:
        found["AWS_ENDPOINT_URL"] = endpoint
    return found


def tool_environment(endpoint: str | None = None) -> dict[str, str]:
    """The environment of a child process: the machine's, without what disturbs."""
    kept = {name: value for name, value in MACHINE.items() if not is_disturbing(name)}
    return {**kept, **aws_environment(endpoint), "SAM_CLI_TELEMETRY": "0", "NO_COLOR": "1"}
