"""`tagger review` in a real browser: a session by keyboard, sound, a kill, and who is kept out."""

from __future__ import annotations

import http.server
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from mutagen.flac import FLAC, Picture
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tagger.catalog import Catalog
from tests import fillable, lessons
from tests.library import genre_of, make_track, start_tagger, until
from tests.test_cli_review import ended

pytestmark = pytest.mark.usefixtures("in_process")

Library = Callable[[dict[tuple[str, str], list[str]]], Path]
ALBUMS = {
    ("Ann", "One"): ["a", "b", "c"],
    ("Ann", "Two"): ["d", "e"],
    ("Bob", "Three"): ["f", "g", "h", "i"],
    ("Cat", "Four"): ["j", "k"],
}


@contextmanager
def served(place: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A review, and the address that it has printed."""
    process = start_tagger("review", "--catalog", str(place), "--no-browser", *options)
    try:
        assert process.stderr is not None
        (url,) = re.findall(r"http://\S+", process.stderr.readline().decode())
        yield process, url
    finally:
        ended(process)


def press(browser: Chrome, *keys: str) -> None:
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def asks(browser: Chrome, name: str) -> None:
    """Wait until something is asked about."""

    def is_there(_driver: Chrome) -> bool:
        script = (
            "const heading = document.querySelector('#stage h1');"
            "return document.readyState === 'complete' && heading && heading.textContent.trim()"
        )
        return bool(browser.execute_script(script) == name)

    WebDriverWait(browser, 30).until(is_there, f"{name} is not asked about")


def genres(folder: Path) -> list[set[str]]:
    return [{g for p in sorted((folder / n).iterdir()) for g in genre_of(p)} for n in "0123"]


def test_a_whole_session_needs_no_mouse(browser: Chrome, library: Library, place: Path) -> None:
    music = library(ALBUMS)
    with served(place) as (process, url):
        browser.get(url)
        asks(browser, "Ann")
        press(browser, "d")
        asks(browser, "Three")  # which settles more than either album of hers
        press(browser, "s")
        asks(browser, "One")
        press(browser, "g")
        press(browser, "Trip-Hop" + Keys.ENTER)
        asks(browser, "Two")
        offered = browser.find_element(By.CSS_SELECTOR, ".genres").text
        assert "Trip-Hop" in offered  # it is the owner's word by now
        press(browser, "s")
        asks(browser, "Four")
        press(browser, "b")
        asks(browser, "Two")
        press(browser, "m", "1", "2", Keys.ENTER)
        asks(browser, "Four")
        press(browser, "b")
        asks(browser, "Three")
        press(browser, "/")
        press(browser, "four")
        WebDriverWait(browser, 10).until(
            lambda _: browser.find_elements(By.CSS_SELECTOR, "#found [data-jump]")
        )
        press(browser, Keys.ENTER)
        asks(browser, "Four")
        press(browser, "1")
        asks(browser, "Three")
        until(lambda: genres(music)[3] != set())
        press(browser, "u")
        asks(browser, "Four")
        until(lambda: genres(music)[3] == set())
        press(browser, "n")
        asks(browser, "Three")
        press(browser, "1")
        asks(browser, "Nothing is left to ask.")
        until(lambda: genres(music)[2] != set())
        process.terminate()
        assert process.wait(60) == 0
    first, second, third, fourth = genres(music)
    assert (first, len(second), len(third), fourth) == ({"Trip-Hop"}, 2, 1, set())


def test_space_plays_what_was_heard(browser: Chrome, library: Library, place: Path) -> None:
    library(ALBUMS)
    with served(place) as (_, url):
        browser.get(url)
        asks(browser, "Ann")
        browser.execute_script(
            "const audio = document.getElementById('audio');"
            "document.addEventListener('keydown', () => {"
            "  const context = new AudioContext(), heard = context.createAnalyser();"
            "  context.createMediaElementSource(audio).connect(heard);"
            "  heard.connect(context.destination);"
            "  window.loudest = () => { const a = new Float32Array(2048);"
            "    heard.getFloatTimeDomainData(a); return Math.max(...a); };"
            "}, {once: true, capture: true});"
        )
        press(browser, " ")
        place_s = "return document.getElementById('audio').currentTime"
        WebDriverWait(browser, 30).until(lambda _: browser.execute_script(place_s) > 0.2)
        assert browser.execute_script("return window.loudest()") > 0.1
        press(browser, " ")
        assert browser.execute_script("return document.getElementById('audio').paused")


def test_what_was_answered_before_a_kill_is_written_by_the_next_start(
    browser: Chrome, library: Library, place: Path
) -> None:
    music = library(ALBUMS)
    with served(place) as (process, url), Catalog.open(place) as catalog:
        browser.get(url)
        asks(browser, "Ann")
        with catalog.writing():  # nobody else may touch files meanwhile
            press(browser, "1")
            asks(browser, "Three")
            process.kill()
            process.wait(60)
        press(browser, "1")
        said = browser.find_element(By.ID, "said")
        WebDriverWait(browser, 10).until(lambda _: "has ended" in said.text)
    assert genres(music)[0] == set()
    with served(place):
        until(lambda: len(genres(music)[0]) == len(genres(music)[1]) == 1)
    assert genres(music)[2] == set()


HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u202e\'&amp;'


def test_titles_and_covers_do_nothing_but_stand_there(
    browser: Chrome, library: Library, place: Path
) -> None:
    music = library({(HOSTILE, HOSTILE): [HOSTILE], ("Bob", "Two"): ["a", "b"]})
    with served(place) as (_, url):
        browser.get(url)
        asks(browser, "Two")
        press(browser, "s")
        heading = "return document.querySelector('#stage h1').textContent"
        until(lambda: "<script>" in browser.execute_script(heading))
        press(browser, "/")
        press(browser, "script")
        WebDriverWait(browser, 10).until(
            lambda _: browser.find_elements(By.CSS_SELECTOR, "#found [data-jump]")
        )
        assert browser.execute_script("return window.pwned") is None
        assert not browser.find_elements(By.CSS_SELECTOR, "#stage script, #stage img[src=x]")
    assert music.is_dir()


def test_a_cover_is_shown_and_svg_never_is(
    browser: Chrome, music: Path, library: Library, place: Path
) -> None:
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
        "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
    )
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"/>'
    for name, data in (("Png", pixel), ("Svg", svg)):
        path = make_track(music / name / "0.flac", 3.0, title=name, artist=name, album=name)
        file, picture = FLAC(path), Picture()
        picture.type, picture.mime, picture.data = 3, "image/png", data
        file.add_picture(picture)
        file.save()
    library({})
    with served(place) as (_, url):
        browser.get(url)
        asks(browser, "Png")
        until(lambda: browser.find_elements(By.CSS_SELECTOR, "#cover.there"))
        press(browser, "s")
        asks(browser, "Svg")
        browser.implicitly_wait(0)
        until(lambda: not browser.find_elements(By.CSS_SELECTOR, "#cover"))
        assert browser.execute_script("return window.pwned") is None


# Who is kept out

ATTACK = """<!doctype html><title>waiting</title><script>
const url = "{base}";
const body = JSON.stringify({{question: 1, genres: ["Pwned"]}});
const tries = [
  fetch(url + "/do/answer", {{method: "POST", credentials: "include", mode: "no-cors", body}}),
  fetch(url + "/", {{credentials: "include"}}).then((one) => one.text()),
  fetch(url + "/do/undo", {{method: "POST", credentials: "include", body,
    headers: {{"X-Tagger-Token": "x"}}}}),
];
const script = document.createElement("script");
script.src = url + "/page.js";
const loaded = new Promise((done) => {{
  script.onload = () => done("loaded"); script.onerror = () => done("refused");
}});
document.head.append(script);
Promise.allSettled(tries).then(async (all) => {{
  const read = all[1].status === "fulfilled" ? "read" : "unread";
  document.title = `${{read}} ${{await loaded}}`;
}});
</script>"""


@contextmanager
def page_at_another_port(text: str) -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_pages_of_other_ports_and_sites_do_nothing(
    browser: Chrome, library: Library, place: Path, host: str
) -> None:
    music = library(ALBUMS)
    with served(place) as (_, url):
        browser.get(url)
        asks(browser, "Ann")
        base = url.partition("/open")[0]
        with page_at_another_port(ATTACK.format(base=base)) as port:
            browser.get(f"http://{host}:{port}/")
            WebDriverWait(browser, 30).until(lambda _: browser.title != "waiting")
            assert browser.title == "unread refused"
        browser.get(base)
        asks(browser, "Ann")
        assert browser.find_element(By.CSS_SELECTOR, ".figures dd").text == "0"
    assert genres(music) == [set()] * 4


def test_a_name_that_was_turned_to_this_machine_is_refused(
    browser: Chrome, library: Library, place: Path
) -> None:
    library(ALBUMS)
    with served(place) as (_, url):
        browser.get(url.replace("localhost", "evil.example"))
        until(lambda: "this page has another name" in browser.page_source)
        browser.get(url)  # and the token was not spent by it
        asks(browser, "Ann")


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(
    browser: Chrome, library: Library, place: Path, width: int
) -> None:
    library({("A" * 80, "B" * 90): ["c" * 120, "d"]})
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    with served(place) as (_, url):
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(url)
        asks(browser, "B" * 90)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def text_of(browser: Chrome, selector: str) -> str:
    """What stands in the page now, read in one step: the page may be put anew at any moment."""
    script = "const one = document.querySelector(arguments[0]); return one && one.textContent"
    return str(browser.execute_script(script, selector) or "").strip()


def test_a_genre_in_doubt_is_kept_or_changed_after_old_and_new_were_shown(
    browser: Chrome, place: Path
) -> None:
    lessons.library(place, wrong=3).close()
    with served(place, "--doubtful") as (_, url):
        browser.get(url)
        until(lambda: text_of(browser, "[data-do=keep]"))  # once it was found
        first, kept = text_of(browser, "h1"), text_of(browser, ".stands b")
        press(browser, "k")
        until(lambda: text_of(browser, "h1") not in ("", first))
        second, stood = text_of(browser, "h1"), text_of(browser, ".stands b")
        other = {"Dub": "Fado", "Fado": "Dub"}[stood]
        press(browser, "1")
        assert text_of(browser, "#change") == f"{stood} → {other}"
        assert text_of(browser, "h1") == second
        press(browser, Keys.ENTER)
        until(lambda: text_of(browser, "h1") not in ("", second))
    with Catalog.open(place) as catalog:
        assert sorted(catalog.kept_genres().values()) == sorted([(kept,), (other,)])


def pressed(browser: Chrome, key: str, *, is_held: bool) -> None:
    """Press a key on the page itself, as one that is held down comes again and again."""
    script = (
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: arguments[0], repeat: arguments[1], bubbles: true, cancelable: true}))"
    )
    browser.execute_script(script, key, is_held)


def test_a_key_that_is_held_answers_once(browser: Chrome, library: Library, place: Path) -> None:
    library(ALBUMS)
    with served(place) as (_, url):
        browser.get(url)
        asks(browser, "Ann")
        for key in ("1", "s", "n"):
            pressed(browser, key, is_held=True)
        pressed(browser, "s", is_held=False)
        asks(browser, "Three")  # the one after the first: the held keys did nothing
        assert text_of(browser, ".figures dd") == "0"


def test_what_was_shown_as_old_and_new_is_not_written_once_something_else_is_picked(
    browser: Chrome, place: Path
) -> None:
    lessons.library(place, wrong=3).close()
    with served(place, "--doubtful") as (_, url):
        browser.get(url)
        until(lambda: text_of(browser, "[data-do=keep]"))
        first = text_of(browser, "h1")
        for keys in (("m", "m"), ("Escape",)):
            pressed(browser, "1", is_held=False)
            assert browser.find_element(By.ID, "change").is_displayed()
            for key in keys:
                pressed(browser, key, is_held=False)
            assert not browser.find_element(By.ID, "change").is_displayed()
        pressed(browser, "Enter", is_held=False)
        until(lambda: text_of(browser, "#said") == "Choose a genre, or type one.")
        assert text_of(browser, "h1") == first
    with Catalog.open(place) as catalog:
        assert catalog.kept_genres() == {}


def test_what_was_judged_right_twenty_times_is_filled_by_keyboard(
    browser: Chrome, place: Path, music: Path
) -> None:
    fillable.library(place, music).close()
    with served(place) as (process, url):
        browser.get(url)
        until(lambda: 'class="offer"' in stage_now(browser))  # once it has learned
        pressed(browser, "s", is_held=False)  # it is shown with the next question
        until(lambda: text_of(browser, ".offer"))
        pressed(browser, "f", is_held=False)
        for n in range(20):
            until(partial(stands, browser, f"{n + 1} of 20", ".judging"))
            path = music / file_shown(browser)
            proposed = text_of(browser, ".proposed bdi")
            if n in (3, 7):  # the owner knows better twice, and says so once by a button
                pressed(browser, "x" if n == 3 else "1", is_held=False)
            else:
                assert proposed == fillable.truth(int(path.stem))
                pressed(browser, "y", is_held=False)
        until(lambda: text_of(browser, "h1") == "18 of 20 were right")
        assert "other 40 can be filled" in text_of(browser, ".passed")
        pressed(browser, "f", is_held=False)
        until(lambda: "18 of 20 were right: 40 tracks are filled" in text_of(browser, ".filled"))
        until(lambda: sum(map(bool, map(genre_of, music.iterdir()))) == 59)
        pressed(browser, "u", is_held=False)
        until(lambda: sum(map(bool, map(genre_of, music.iterdir()))) == 19)
        process.terminate()
        assert process.wait(60) == 0


def stands(browser: Chrome, text: str, selector: str) -> bool:
    return text in text_of(browser, selector)


def stage_now(browser: Chrome) -> str:
    """What would be shown now; asked for twice a second."""
    time.sleep(0.5)
    script = "const done = arguments[0]; fetch('/stage').then((a) => a.text()).then(done);"
    return str(browser.execute_async_script(script))


def file_shown(browser: Chrome) -> str:
    """The file of the track that is shown, by its title."""
    number = text_of(browser, "h1").removeprefix("Title ")
    return f"{int(number):02d}.flac"
