"""A fixed sample of the machine; the soak runs it for long."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import BackupMachine


def test_whatever_happens_in_whatever_order_no_promise_is_broken() -> None:
    run_state_machine_as_test(
        BackupMachine,
        settings=settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=80,
            stateful_step_count=30,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
