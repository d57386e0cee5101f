"""The guard against double deliveries: Powertools Idempotency over DynamoDB.

It saves work only; that a second run does no harm comes from the store's rules. So a run whose
guard cannot be asked is made without it.

==========================================  ========================================================
the table's record of this trigger          what becomes of the delivery
==========================================  ========================================================
there is none, or it is out of date         the run is made
ended                                       the first answer, with ``"duplicate": true``
in progress, of another delivery            ``continuing``, with ``"duplicate": true``
in progress, of an earlier attempt of this  StillInProgress: an answer would end Lambda's retries,
                                            and nobody would hear of the attempt that broke off
in progress, and it does not say of which   the same: it may have died before it could say so
in progress, its time limit over            the run is made
it cannot be asked, or not be written       the run is made; the report has a note
==========================================  ========================================================
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
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from smugmug_backup.archive.report import RunStatus
from smugmug_backup.aws.client import aws_client
from smugmug_backup.errors import StillInProgress
from smugmug_backup.function.telemetry import count_guard_down, logger

# Longer than every retry: Lambda gives up after 6 hours, Scheduler after 24.
_EXPIRES_AFTER_SECONDS = 2 * 24 * 60 * 60

Result = dict[str, Any]
Run = Callable[[tuple[str, ...]], Result]


def once(trigger: str, run: Run, *, table: str, context: LambdaContext) -> Result:
    """``run(notes)``, once for each ``trigger``; a run that raises is forgotten, so that a retry
    runs. See the table above."""
    guarded = _Guarded(run)
    try:
        return guarded.ask(trigger, table, context)
    except (IdempotencyPersistenceLayerError, IdempotencyInconsistentStateError) as error:
        return guarded.go_on_without(table, error)


class _Guarded:
    """One delivery's run, and what came of it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._result: Result | None = None
        self._error: Exception | None = None

    def ask(self, trigger: str, table: str, context: LambdaContext) -> Result:
        config = IdempotencyConfig(
            event_key_jmespath="trigger",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=_EXPIRES_AFTER_SECONDS,
            hash_function="sha256",
        )
        # Before the guarded call, or a time-out would block the retry until the record expires.
        config.register_lambda_context(context)
        # Lambda's own retry of an asynchronous event has the request id of the first attempt.
        store = _Table(table, context.aws_request_id)

        @idempotent_function(  # type: ignore[untyped-decorator]
            data_keyword_argument="delivery",
            persistence_store=store,
            config=config,
            # Of our own, so that a function with another name forgets nothing.
            key_prefix="smugmug-backup",
        )
        def guarded(*, delivery: dict[str, str]) -> Result:
            return self._go()

        try:
            result: Result = guarded(delivery={"trigger": trigger})
        except IdempotencyAlreadyInProgressError:
            if store.held_by in (None, context.aws_request_id):
                raise StillInProgress(
                    "an earlier attempt of this invocation broke off without an end; a retry makes "
                    "the run when its time limit is over"
                ) from None
            continuing = RunStatus.CONTINUING.value
            return {"status": continuing, "run_id": None, "duplicate": True, "counts": {}}
        return result if self._result is not None else {**result, "duplicate": True}

    def _go(self, *notes: str) -> Result:
        try:
            self._result = self._run(notes)
        except Exception as error:
            self._error = error
            raise
        return self._result

    def go_on_without(self, table: str, error: Exception) -> Result:
        """The run's own end if it has one, else the run."""
        cause = type(error.__cause__ or error).__name__
        logger.warning("guard down", extra={"table": table, "cause": cause})
        count_guard_down()
        if self._error is not None:
            raise self._error
        if self._result is not None:
            return self._result
        return self._go(
            f"the guard against double deliveries was not to be had ({cause}, table {table}); "
            "the run went without it"
        )


class _Table(DynamoDBPersistenceLayer):
    """Remembers whose attempt a record in progress is; ``held_by``: as far as it was met."""

    def __init__(self, table: str, attempt: str) -> None:
        super().__init__(table_name=table, boto3_client=aws_client("dynamodb"))
        self._attempt = attempt
        self.held_by: str | None = None

    def _put_record(self, data_record: DataRecord) -> None:
        super()._put_record(data_record)
        self.client.update_item(
            TableName=self.table_name,
            Key=self._get_key(data_record.idempotency_key),
            UpdateExpression="SET attempt = :attempt",
            ExpressionAttributeValues={":attempt": {"S": self._attempt}},
        )

    def _item_to_data_record(self, item: dict[str, Any]) -> DataRecord:
        self.held_by = item.get("attempt", {}).get("S")
        return super()._item_to_data_record(item)
