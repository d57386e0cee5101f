"""Questions to whoever sits before the terminal."""

import getpass
import sys

from rich.console import Console

from smugmug_backup.cli.errors import Mistaken


def ask(say: Console, prompt: str) -> str:
    """The answer, without the spaces around it. Raises Mistaken where nobody answers."""
    say.print(prompt, end="", soft_wrap=True)
    say.file.flush()
    try:
        line = sys.stdin.readline() if sys.stdin is not None else ""
    except (UnicodeDecodeError, OSError):
        line = ""
    if not line or not sys.stdin.isatty():
        # Nobody pressed Enter on this screen: what is said next begins a line all the same.
        say.print()
    if not line:
        raise _nobody(prompt)
    return line.strip()


def ask_unseen(prompt: str) -> str:
    """The same of a secret, which does not appear as it is typed."""
    try:
        return getpass.getpass(prompt).strip()
    except (EOFError, UnicodeDecodeError, OSError):
        raise _nobody(prompt) from None


def agreed(say: Console, question: str, *, otherwise: bool = True) -> bool:
    """Yes or no; only Enter means ``otherwise``. Asked again until it is one of them."""
    while True:
        answer = ask(say, f"{question} [{'Y/n' if otherwise else 'y/N'}] ").lower()
        if not answer:
            return otherwise
        if answer in ("y", "yes", "n", "no"):
            return answer[0] == "y"
        say.print("Please answer y or n.", style="yellow")


def somebody_is_there() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _nobody(prompt: str) -> Mistaken:
    return Mistaken(
        f"nobody is there to answer: {prompt.strip().rstrip(':')}",
        hint="run it in a terminal; `--help` names the options and the environment that answer",
    )
