"""The one maker of AWS clients: region, endpoint, time-outs and user agent, the same for all."""

import os
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.utils import parse_timestamp

from smugmug_backup import __version__
from smugmug_backup.aws.errors import AwsRefused, setup_words
from smugmug_backup.errors import BadRequest
from smugmug_backup.tls import shared

# A session of its own for each client, for credentials and region are looked up when it is made;
# but what AWS's services look like is read once: it is half of the time that a client takes.
_SERVICES = Loader()

_DEFAULT = Config(
    user_agent_extra=f"smugmug-backup/{__version__}",
    # 3 x (5 + 10) s and what is waited between: a call that is stuck fits into a run's reserve.
    connect_timeout=5,
    read_timeout=10,
    # Full jitter, on time-outs, 5xx and throttling.
    retries={"mode": "standard", "total_max_attempts": 3},
)


def aws_client(
    service: str,
    *,
    config: Config | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
) -> Any:
    """A client of ``service``; region, endpoint and credentials by boto3's own rules, or those of
    ``profile``, and at ``endpoint``.

    ``AWS_REGION`` counts, too, before ``AWS_DEFAULT_REGION`` and the profile's region, as it does
    for AWS's other tools. An endpoint on this machine is asked without proxies and may be plain
    http; no other may, for what goes there are photos and secrets. Raises BadRequest for such an
    endpoint, AwsRefused if AWS is not set up; nothing is asked yet.
    """
    whole = _DEFAULT.merge(config) if config else _DEFAULT
    try:
        client = _made(service, whole, endpoint, profile)
        asked = urlsplit(client.meta.endpoint_url)
        if is_this_machine(asked.hostname or ""):
            # A bucket is no host name here, and a proxy or its certificate is not ours to ask.
            local = Config(proxies={}, s3={"addressing_style": "path"})
            return _made(service, whole.merge(local), endpoint, profile)
        if asked.scheme != "https":
            raise BadRequest(
                f"the endpoint of AWS at {asked.hostname} ({_said(endpoint)}) must be https"
            )
    except BotoCoreError as error:
        raise AwsRefused(setup_words(error) or f"AWS: {type(error).__name__}") from None
    except ValueError:
        raise AwsRefused(f"the endpoint that is set ({_said(endpoint)}) is no URL") from None
    return client


def _said(endpoint: str | None) -> str:
    return "AWS_ENDPOINT_URL" if endpoint is None else "--endpoint-url"


def region_in_use() -> str:
    """The region of every client that is made now. Raises as `aws_client` does."""
    return str(aws_client("ssm").meta.region_name)


def is_this_machine(host: str) -> bool:
    """Whether ``host`` is a name or an address of this very machine."""
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")


def _made(service: str, config: Config, endpoint: str | None, profile: str | None) -> Any:
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", _SERVICES)
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_instant)
    # botocore reads AWS_DEFAULT_REGION only (1.44); Lambda sets both, an owner often this one.
    # Set here, it holds for what botocore itself asks on the way, such as STS for a role.
    if region := os.environ.get("AWS_REGION"):
        session.set_config_variable("region", region)
    client = session.create_client(service, config=config, endpoint_url=endpoint)
    _share_tls(client)
    return client


def _instant(value: Any) -> datetime:
    """A time of an answer, as botocore reads it. What S3 lists has one form, and dateutil, which
    takes any, needs longer for it than all else of an entry."""
    if isinstance(value, str) and value[10:11] == "T" and value.endswith("Z"):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    found: datetime = parse_timestamp(value)
    return found


def _share_tls(client: Any) -> None:
    """Have the connections of ``client`` read what they trust once, which botocore has no option
    for. These are its inner names (1.44): without them, each connection is as dear as it was."""
    with suppress(AttributeError, KeyError):
        shared(client._endpoint.http_session._manager.connection_pool_kw["ssl_context"])
