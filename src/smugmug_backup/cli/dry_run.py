"""What a dry run tells: what a run would do, and what it would cost."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smugmug_backup import system
from smugmug_backup.archive.titles import shown
from smugmug_backup.backup.outcome import Forecast
from smugmug_backup.backup.run import DryRun
from smugmug_backup.cli.estimate import PRICES, RunEstimate, estimate_run, money
from smugmug_backup.cli.output import Column, number, plural, print_json, print_table, size
from smugmug_backup.cli.progress import album_name
from smugmug_backup.words import Location

if TYPE_CHECKING:
    from rich.console import Console


def tell_plan(console: "Console", args: argparse.Namespace, plan: DryRun) -> None:
    """What a run would do, and what that costs."""
    estimate = estimate_run(
        plan.forecasts, api_calls=plan.api_calls, known_albums=len(plan.forecasts)
    )
    in_s3 = args.location.in_s3
    if args.json:
        print_json(console, _plan_as_json(plan, estimate, in_s3=in_s3))
        return
    busy = [each for each in plan.forecasts if _is_busy(each)]
    if busy:
        columns = [
            Column("album", elastic=True),
            Column("key"),
            Column("new", right=True),
            Column("changed", right=True),
            Column("missing", right=True),
            Column("originals", right=True),
            Column("bytes", right=True),
        ]
        print_table(console, columns, (_row(each) for each in busy))
    for each in plan.forecasts:
        if each.error:
            name = album_name(each.album_key, each.title)
            line = f"{name} cannot be foretold: {shown(each.error)}"
            console.print(line, style="red")
    say = [
        (
            f"{plural(len(plan.forecasts), 'album')} looked at with "
            f"{plural(estimate.api_calls, 'API call')}; nothing was written."
        ),
        (
            f"A run would change {plural(estimate.albums, 'album')}: "
            f"{plural(estimate.images, 'image')} new or changed, "
            f"{plural(estimate.originals, 'original')} to fetch, "
            f"{size(estimate.bytes)} as far as SmugMug says."
        ),
    ]
    if plan.missing_albums:
        say.append(f"Missing at SmugMug: {', '.join(plan.missing_albums)} (they stay here).")
    say.append(_cost(estimate) if in_s3 else _room(args.location, estimate.bytes))
    for line in say:
        console.print(line)


def _room(location: Location, wanted: int) -> str:
    """How that compares with the room of the disk: where the folder is, or will be."""
    there = Path(str(location.folder)).absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    free, _ = system.space(there)
    if wanted <= free:
        return f"The disk has room for {size(free)}."
    return f"The disk has room for {size(free)} only: {size(wanted - free)} more are needed."


def _row(each: Forecast) -> list[str]:
    counts = (each.new, each.changed, each.missing, each.originals)
    return [shown(each.title), each.album_key, *map(number, counts), size(each.bytes)]


def _is_busy(each: Forecast) -> bool:
    return bool(each.new or each.changed or each.missing or each.originals)


def _cost(estimate: RunEstimate) -> str:
    return (
        f"AWS would charge {money(estimate.requests_cost)} once (about {number(estimate.writes)} "
        f"PUT and LIST and {number(estimate.reads)} GET requests), and "
        f"{money(estimate.storage_cost)} a month more in S3 Standard, or "
        f"{money(estimate.instant_storage_cost)} in Glacier Instant Retrieval ({PRICES.say})."
    )


def _plan_as_json(plan: DryRun, estimate: RunEstimate, *, in_s3: bool) -> dict[str, Any]:
    cost = {
        "requests_once": round(estimate.requests_cost, 4),
        "standard_a_month": round(estimate.storage_cost, 4),
        "glacier_instant_retrieval_a_month": round(estimate.instant_storage_cost, 4),
        "prices_noted": PRICES.noted,
        "region": PRICES.region,
    }
    return {
        "albums": len(plan.forecasts),
        "albums_to_change": estimate.albums,
        "images": estimate.images,
        "originals": estimate.originals,
        "bytes": estimate.bytes,
        "api_calls": estimate.api_calls,
        "write_requests": estimate.writes,
        "read_requests": estimate.reads,
        "cost_in_usd": cost if in_s3 else None,
        "missing_albums": list(plan.missing_albums),
        "ignored_albums": list(plan.ignored_albums),
        "forecasts": [
            {
                "album_key": each.album_key,
                "title": each.title,
                "full_listing": each.full_listing,
                "new": each.new,
                "changed": each.changed,
                "missing": each.missing,
                "originals": each.originals,
                "bytes": each.bytes,
                "error": each.error,
            }
            for each in plan.forecasts
        ],
    }
