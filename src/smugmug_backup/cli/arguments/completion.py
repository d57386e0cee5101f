"""What `smugmug-backup completion` understands."""

from typing import Any

from smugmug_backup.cli.parsing import command_parser

NAME = "completion"

SHELLS = ("bash", "zsh", "fish")

_DESCRIPTION = """\
Print what a shell needs to complete commands and options.

  bash   smugmug-backup completion bash >
             ~/.local/share/bash-completion/completions/smugmug-backup
  zsh    smugmug-backup completion zsh > a folder of $fpath/_smugmug-backup
  fish   smugmug-backup completion fish >
             ~/.config/fish/completions/smugmug-backup.fish"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = command_parser(
        subparsers,
        NAME,
        help="print what bash, zsh or fish need to complete this command",
        description=_DESCRIPTION,
        looks_only=True,
        plain=True,
        example="smugmug-backup completion bash",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
