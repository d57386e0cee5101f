"""Who sits before the terminal."""

import re
import urllib.request
from typing import Any


class Owner:
    """Opens the address, types the code, answers questions.

    ``answers``: lines, one after the other; ``CODE``, and all after the last: the code.
    ``typed_unseen``: secrets. ``terminal``: whether it is one.
    """

    def __init__(self, monkeypatch: Any) -> None:
        self.urls: list[str] = []
        self.code = ""
        self.answers: list[str] = []
        self.typed_unseen: list[str] = []
        self.terminal = True
        monkeypatch.setattr("webbrowser.open", self.open)
        monkeypatch.setattr("sys.stdin", self)
        monkeypatch.setattr("getpass.getpass", self.getpass)

    def open(self, url: str) -> bool:
        """The browser."""
        self.urls.append(url)
        self.consent(url)
        return True

    def consent(self, url: str) -> None:
        """Allow it, and read the code."""
        with urllib.request.urlopen(url) as page:
            self.code = re.search(r'id="code">(\d{6})<', page.read().decode())[1]

    def readline(self) -> str:
        """What is typed."""
        answer = self.answers.pop(0) if self.answers else "CODE"
        return f"{self.code}\n" if answer == "CODE" else answer

    def getpass(self, prompt: str) -> str:
        """What is typed unseen."""
        return self.typed_unseen.pop(0)

    def isatty(self) -> bool:
        """A person sits there."""
        return self.terminal
