"""A picture of a report, from the real page: `python -m tools.picture_report docs/report.png`.

The recordings of examples/ are cut into pieces of some seconds, which makes a library of some
hundred tracks; half of its artists' pieces bear the genre that the artist gives, and the rest is
left to the tagger. With --pictures each width is pictured whole, light and dark.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import soundfile
from mutagen.flac import FLAC
from PIL import Image
from selenium import webdriver
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from tagger.audio.segments import load_waveform
from tagger.files.names import is_audio_name
from tagger.tags import read_tags
from tools.chromium import chromium, show_as

_EXAMPLES = Path(__file__).parent.parent / "examples"
_RATE = 22_050
_PIECE_S, _STEP_S = 6.0, 1.5
# As its artists call their music; what is not here bears no genre.
_CALLED = {
    "Boomboxhead": "Hip-Hop",
    "Elio Gubser": "Classical",
    "Karissa Hobbs": "Folk",
    "Kevin MacLeod": "Jazz",
    "MadDirtMonkey": "Electronic",
    "Muldjord": "Metal",
    "emegeme": "Country",
}
_WIDTH, _HEIGHT = 1200, 1400
_WIDTHS = (360, 800, 1400)
_COLOURS = 200
_SETTLED_S = 0.8  # for the map to be drawn


@click.command()
@click.argument("picture", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path))
def main(picture: Path, pictures: Path | None) -> None:
    """Make the picture; with --pictures, pictures of each width as well."""
    with (
        _folder_to_be_seen() as music,
        tempfile.TemporaryDirectory() as name,
        chromium() as browser,
    ):
        browser.get(make_report(music, Path(name)).as_uri())
        if pictures is not None:
            _picture_all(browser, pictures)
        _picture(browser).save(picture, optimize=True)
    click.echo(f"{picture}: {picture.stat().st_size / 1000:.0f} KB")


@contextmanager
def _folder_to_be_seen() -> Iterator[Path]:
    """Make a folder whose name can stand on a picture."""
    folder = Path(tempfile.gettempdir()) / "Music"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def make_report(music: Path, data: Path) -> Path:
    """Have the library heard and told of; return the page."""
    for path in sorted(_EXAMPLES.rglob("*")):
        if is_audio_name(path.name):
            _cut(path, music)
    _tagger(data, "tag", str(music))
    _tagger(data, "report", "-o", str(data / "report.html"))
    return data / "report.html"


def _cut(path: Path, music: Path) -> None:
    """Write the pieces of a recording."""
    tags = read_tags(path)
    waveform, _ = load_waveform(path, _RATE)
    folder = music / tags.artist / tags.album
    folder.mkdir(parents=True, exist_ok=True)
    for n, start in enumerate(_starts(len(waveform)), start=1):
        piece = folder / f"{tags.title}, {n}.flac"
        soundfile.write(piece, waveform[start : start + round(_PIECE_S * _RATE)], _RATE)
        file = FLAC(piece)
        file.update({"artist": tags.artist, "album": tags.album, "title": f"{tags.title}, {n}"})
        if n % 2 and tags.artist in _CALLED:
            file["genre"] = _CALLED[tags.artist]
        file.save()


def _starts(n_samples: int) -> Iterator[int]:
    last = max(0, n_samples - round(_PIECE_S * _RATE))
    yield from range(0, last + 1, round(_STEP_S * _RATE))


def _tagger(data: Path, *arguments: str) -> None:
    """Run a command in whose usual places there is nothing yet."""
    places = {f"XDG_{kind}_HOME": str(data / kind) for kind in ("DATA", "CONFIG", "CACHE")}
    words = [sys.executable, "-m", "tagger", *arguments]
    subprocess.run(words, check=True, capture_output=True, env=os.environ | places)


def _picture(browser: webdriver.Chrome) -> Image.Image:
    """Return the upper part of the page, with a track chosen on the map."""
    show_as(browser, _WIDTH, _HEIGHT)
    time.sleep(_SETTLED_S)
    browser.find_element(By.ID, "map").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    browser.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    time.sleep(_SETTLED_S)
    shot = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    return shot.quantize(_COLOURS, dither=Image.Dither.NONE)


def _picture_all(browser: webdriver.Chrome, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for width in _WIDTHS:
        for scheme in ("light", "dark"):
            show_as(browser, width, 900, scheme)
            whole = browser.execute_script("return document.documentElement.scrollHeight")
            show_as(browser, width, whole, scheme)
            time.sleep(_SETTLED_S)
            (folder / f"report-{width}-{scheme}.png").write_bytes(browser.get_screenshot_as_png())


if __name__ == "__main__":
    main()
