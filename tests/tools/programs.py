"""Programs of the system that a test makes up, without starting any."""

import subprocess
from typing import Any

from smugmug_backup.cli.timers import calling


class Programs:
    """``names`` are there, and nothing else; each ends well and says nothing, unless told.

    ``crontab`` keeps a ``table``. ``called``: every command line so far.
    """

    def __init__(self, monkeypatch: Any, *names: str) -> None:
        self._names = names
        self._answers: dict[str, tuple[int, str, str]] = {}
        self.called: list[str] = []
        self.table: str | None = None
        monkeypatch.setattr(calling, "start", self._run)

    def answer(self, line: str, *, status: int = 0, out: str = "", err: str = "") -> None:
        """What a call that begins with ``line`` says from now on."""
        self._answers[line] = (status, out, err)

    def _run(self, command: Any, **more: Any) -> Any:
        if command[0] not in self._names:
            raise FileNotFoundError(command[0])
        line = " ".join(command)
        self.called.append(line)
        best = max((each for each in self._answers if line.startswith(each)), key=len, default=None)
        answer = (0, "", "") if best is None else self._answers[best]
        if best is None and command[0] == "crontab":
            answer = self._crontab(command[1], more["input"])
        return subprocess.CompletedProcess(command, *answer)

    def _crontab(self, option: str, given: str | None) -> tuple[int, str, str]:
        if option == "-l":
            none = (1, "", "no crontab for somebody\n")
            return none if self.table is None else (0, self.table, "")
        self.table = given if option == "-" else None
        return 0, "", ""
