"""The guard against double deliveries: Powertools Idempotency over DynamoDB.

It saves work only; that a second run does no harm comes from the store's rules.
"""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from smugmug_backup.archive.report import RunStatus
from smugmug_backup.aws.client import aws_client
from smugmug_backup.aws.errors import AwsError

# Longer than every retry: Lambda gives up after 6 hours, Scheduler after 24.
_EXPIRES_AFTER_SECONDS = 2 * 24 * 60 * 60

Result = dict[str, Any]


def once(trigger: str, run: Callable[[], Result], *, table: str, context: LambdaContext) -> Result:
    """``run()``, once for each ``trigger``.

    A second delivery gets the first one's answer with ``"duplicate": true``; one that comes while
    the first is still running is told that it is `CONTINUING`. A run that raises is forgotten, so
    that a retry runs.
    """
    config = IdempotencyConfig(
        event_key_jmespath="trigger",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=_EXPIRES_AFTER_SECONDS,
        hash_function="sha256",
    )
    # Before the guarded call, or a time-out would block the retry until the record expires.
    config.register_lambda_context(context)
    ran = False

    @idempotent_function(  # type: ignore[untyped-decorator]
        data_keyword_argument="delivery",
        persistence_store=DynamoDBPersistenceLayer(
            table_name=table, boto3_client=aws_client("dynamodb")
        ),
        config=config,
        # Of our own, so that a function with another name forgets nothing.
        key_prefix="smugmug-backup",
    )
    def guarded(*, delivery: dict[str, str]) -> Result:
        nonlocal ran
        ran = True
        return run()

    try:
        result: Result = guarded(delivery={"trigger": trigger})
    except IdempotencyAlreadyInProgressError:
        return {
            "status": RunStatus.CONTINUING.value,
            "run_id": None,
            "duplicate": True,
            "counts": {},
        }
    except IdempotencyPersistenceLayerError as error:
        raise AwsError(
            f"the idempotency table {table} cannot be used "
            f"({type(error.__cause__ or error).__name__}); the function's role needs "
            "dynamodb:GetItem, PutItem, UpdateItem and DeleteItem on it"
        ) from None
    return result if ran else {**result, "duplicate": True}
