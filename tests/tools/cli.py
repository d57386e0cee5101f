"""Run the owner's tool in this process, as if from a shell."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from smugmug_backup.cli.main import main
from smugmug_backup.cli.time import SystemClock
from smugmug_backup.clock import Clock


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """``shell("status", location)``; nothing of the machine's own settings is seen."""

    def __init__(self, capsys: Any, monkeypatch: Any, home: Any) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("HOME", str(home))
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "SMUGMUG_BACKUP_LOCATION"):
            monkeypatch.delenv(name, raising=False)
        for name in ("SMUGMUG_SECRET", "SMUGMUG_NICKNAME", "SMUGMUG_API", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)

    def __call__(self, *argv: str) -> Ran:
        self._capsys.readouterr()
        status = main([str(word) for word in argv])
        said = self._capsys.readouterr()
        return Ran(status, said.out, said.err)

    def at(self, clock: Clock) -> None:
        """Commands that only look are run at this clock's time."""
        self._monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())

    def line(self, line: str) -> Ran:
        """A whole command line, as it stands in an example."""
        program, *words = shlex.split(line)
        assert program == "smugmug-backup"
        return self(*words)
