"""Run the demo; see the package."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.demo.story import DemoError, tell
from tests.local_smugmug import LocalSmugMug, World, demo_account
from tests.stack import DeployError, deployed, local_aws
from tests.stack.environment import clean
from tests.stack.package import BuildError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--api", choices=["1.3.0", "v2"], default="1.3.0")
    parser.add_argument("--keep", type=Path, help="a folder for the backup, to look at afterwards")
    options = parser.parse_args()
    api = options.api
    clean()
    console = Console(highlight=False, soft_wrap=False)
    console.print(f"[bold]SmugMug Backup, the whole of it, on this machine[/] (API {api})\n")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="demo-") as folder,
            LocalSmugMug(World(demo_account())) as smugmug,
            local_aws() as aws,
        ):
            account = smugmug.world.account
            console.print(
                f"A local SmugMug with the account of [bold]{account.nickname}[/]: "
                f"{len(account.albums)} albums."
            )
            console.print("A local AWS, with permissions enforced. `sam build`, `sam deploy` …")
            parameters = {
                "SmugMugNickname": account.nickname,
                "SmugMugApi": api,
                "SmugMugApiUrl": smugmug.url,
                "SmugMugPhotoHosts": "127.0.0.1",
                "MaxCallsPerSecond": "1000",
            }  # fmt: skip
            with deployed(aws, parameters) as stack:
                tell(console, smugmug, aws, stack, Path(folder))
            if options.keep is not None:
                shutil.rmtree(options.keep, ignore_errors=True)
                shutil.copytree(Path(folder) / "copy", options.keep)
    except (DemoError, DeployError, BuildError) as error:
        console.print(f"[red]The demo failed:[/] {error}", soft_wrap=True)
        return 1
    console.print("\nEverything that was started has been stopped.")
    if options.keep is None:
        console.print("Nothing is left behind.")
    else:
        console.print(
            f"The backup is kept in {options.keep}; `make browse` opens it in your browser.",
            soft_wrap=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
