"""The state machine of an overflow, as far as a run sees it."""


class FakeOverflow:
    """`Overflow` that only remembers, newest first; the test does what Step Functions would do."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.going: set[str] = set()

    def start(self, run_id: str) -> None:
        if run_id not in self.runs:
            self.runs.insert(0, run_id)
            self.going.add(run_id)

    def recent(self) -> tuple[tuple[str, bool], ...]:
        return tuple((run, run in self.going) for run in self.runs)
