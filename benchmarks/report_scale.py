"""What a report on a large library costs: `python -m benchmarks.report_scale FOLDER`.

A catalogue of music that is not there, of which two albums in five have no genre. Told are what
`tagger report` costs, how large its page is, and how long Chromium takes until the page stands:
from its address to the picture of the map, and how long a search and a step on the map take.
With --peer CHECKOUT the command of another checkout makes its report in turn, for ratios.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click
from selenium import webdriver

from benchmarks.machine import describe_machine, load_average
from benchmarks.measuring import Cost, run
from benchmarks.review_scale import make_library
from tools.chromium import chromium, show_as

_OPENED = 5  # times
_DRAWN = (
    "const done = arguments[arguments.length - 1];"
    "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));"
)
_SEARCHED = (
    "const begun = performance.now(), done = arguments[0];"
    "const query = document.getElementById('query');"
    "query.value = 'title 0000' + Math.floor(Math.random() * 100);"
    "const found = document.getElementById('found');"
    "new MutationObserver(() => requestAnimationFrame(() => done(performance.now() - begun)))"
    "  .observe(found, { childList: true, characterData: true, subtree: true });"
    "query.dispatchEvent(new Event('input'));"
)
_STEPPED = (
    "const begun = performance.now(), done = arguments[0];"
    "document.getElementById('map').dispatchEvent("
    "  new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));"
    "done(performance.now() - begun);"
)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-n", "n_tracks", default=50_000, show_default=True, help="Tracks in the library.")
@click.option("--peer", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", default=3, show_default=True)
def main(folder: Path, n_tracks: int, peer: Path | None, rounds: int) -> None:
    """Print what a report on a large library costs."""
    folder.mkdir(parents=True, exist_ok=True)
    catalog = folder / f"report-{n_tracks}.db"
    catalog.unlink(missing_ok=True)
    make_library(catalog, folder, n_tracks)
    click.echo(f"{describe_machine()}; load {load_average():.1f}\n")
    click.echo(f"| {n_tracks:,} tracks | measured |\n|---|--:|")
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_made(catalog, Path(__file__).parent.parent))
        if peer is not None:
            theirs.append(_made(catalog, peer))
    _tell_costs("tagger report", ours)
    if peer is not None:
        _tell_costs("the other checkout's", theirs)
        _tell_ratio(ours, theirs)
    page = folder / "report.html"
    run(_command(catalog, page), dict(os.environ), folder / "log")
    _told("the page", f"{page.stat().st_size / 1e6:.1f} MB")
    with chromium() as browser:
        show_as(browser, 1400, 900)
        _tell_page(browser, page)


def _told(what: str, figure: str) -> None:
    click.echo(f"| {what} | {figure} |")


def _command(catalog: Path, page: Path) -> list[str]:
    words = ["report", "--force", "-o", str(page), "--catalog", str(catalog.absolute())]
    return [sys.executable, "-m", "tagger", *words]


def _made(catalog: Path, checkout: Path) -> Cost:
    """Return what making a report costs by the code of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout.absolute()), "PYTHONSAFEPATH": "1"}
    return run(_command(catalog, catalog.with_suffix(".html")), environment, catalog.parent / "log")


def _tell_costs(what: str, costs: Sequence[Cost]) -> None:
    cpu_s = median(one.cpu_s for one in costs)
    peak_mb = median(one.peak_mb for one in costs)
    _told(f"{what}: processor, memory", f"{cpu_s:.1f} s, {peak_mb:.0f} MB")


def _tell_ratio(ours: Sequence[Cost], theirs: Sequence[Cost]) -> None:
    pairs = list(zip(ours, theirs, strict=True))
    cpu = median(one.cpu_s / other.cpu_s for one, other in pairs)
    memory = median(one.peak_mb / other.peak_mb for one, other in pairs)
    _told("by the other checkout's: processor, memory", f"{cpu:.2f}, {memory:.2f}")


def _tell_page(browser: webdriver.Chrome, page: Path) -> None:
    stands = [_opened(browser, page) for _ in range(_OPENED)]
    _told("until the page stands", _spread(stands))
    # The first search makes the words ready that all later ones go by.
    searched = [browser.execute_async_script(_SEARCHED) for _ in range(_OPENED)]
    _told("a search, shown: the first, then", f"{searched[0]:.0f} ms, {_spread(searched[1:])}")
    stepped = [browser.execute_async_script(_STEPPED) for _ in range(_OPENED)]
    _told("a step on the map", _spread(stepped))


def _opened(browser: webdriver.Chrome, page: Path) -> float:
    browser.get("about:blank")
    browser.get(page.absolute().as_uri())
    return float(browser.execute_async_script(_DRAWN))


def _spread(times_ms: Sequence[float]) -> str:
    return f"{median(times_ms):.0f} ms (at most {max(times_ms):.0f})"


if __name__ == "__main__":
    main()
