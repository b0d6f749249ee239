"""The page of `tagger report` in a real browser: found, filtered and walked by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.wait import WebDriverWait

from benchmarks import report_scale
from tagger.catalog import CatalogEntry
from tagger.reasons import Reason, ReasonCode
from tagger.records import Status, TagsFound
from tests.catalogs import entry, filled
from tests.library import run_tagger

HOSTILE = "</script><img src=x onerror=window.pwned=1><script>window.pwned=1</script>\u2028'&amp;"
LONG = "x" * 150

Opened = Callable[..., None]


def song(n: int, title: str, **tags: Any) -> CatalogEntry:
    artist = tags.pop("artist", f"Artist {n % 3}")
    found = TagsFound(title=title, artist=artist, **tags)
    blank = {"status": Status.UNSURE, "genres": (), "reason": Reason(ReasonCode.SILENT)}
    made = entry(f"{n // 10}/{n:03d}.mp3", n, tags=found, status=Status.KEPT)
    return made if found.genres else replace(made, **blank)  # type: ignore[arg-type]


SONGS = [
    song(0, "Zebra", genres=("Jazz",), year=1959, album="Björk’s"),
    song(1, "Äpfel", genres=("Rock", "Jazz"), year=1999),
    song(2, "Middle", genres=("rock",), year=2004),
    song(3, "No genre at all"),
    *(song(n, f"Song {n}", genres=("Folk",), artist="Many") for n in range(4, 64)),
]
ODD = [
    song(0, HOSTILE, genres=(HOSTILE,), artist=HOSTILE, album=HOSTILE),
    song(1, LONG, genres=(LONG,), artist=LONG, album=LONG),
    *(song(n, f"{n}", genres=("Folk",)) for n in range(2, 9)),
    song(9, LONG),
]


@pytest.fixture
def opened(browser: Chrome, place: Path, tmp_path: Path) -> Opened:
    """Make a report of some songs, and open it as wide and as light as is asked."""

    def open_(songs: list[CatalogEntry], width: int = 1200, scheme: str = "light") -> None:
        page = tmp_path / "report.html"
        if not page.exists():
            filled(place, *songs).close()
            assert run_tagger("report", "-o", page, "--catalog", place).code == 0
        appear(browser, width, scheme)
        browser.get(page.as_uri())

    return open_


def appear(browser: Chrome, width: int, scheme: str, density: int = 1) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": density, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in wanted.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def settled(browser: Chrome) -> None:
    """Wait until what is to be drawn is drawn."""
    script = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))"
    browser.execute_async_script(script)


def titles(browser: Chrome) -> list[str]:
    script = "return [...document.querySelectorAll('#rows th')].map((one) => one.textContent)"
    return list(browser.execute_script(script))


def lists(browser: Chrome, expected: list[str]) -> None:
    """Wait until these are the tracks of the list."""
    WebDriverWait(browser, 10).until(lambda _: titles(browser) == expected, str(expected))


def text_of(browser: Chrome, selector: str) -> str:
    script = "return document.querySelector(arguments[0])?.textContent ?? ''"
    return str(browser.execute_script(script, selector))


def found(browser: Chrome, text: str) -> None:
    """Wait until so many tracks are said to be found."""
    WebDriverWait(browser, 10).until(lambda _: text_of(browser, "#found") == text, text)


def colour_of_a_dot(browser: Chrome) -> tuple[int, int, list[int]]:
    """Where a dot is drawn, in pixels of the page, and in which colour."""
    settled(browser)
    x, y, *colour = browser.execute_script(
        "const canvas = document.getElementById('dots'), { width, height } = canvas;"
        "const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);"
        "const far = (i) => [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[i + c] - data[c]), 0);"
        "let best = 0;"  # the pixel that is least like the ground
        "for (let i = 0; i < data.length; i += 4) if (far(i) > far(best)) best = i;"
        "const scale = canvas.clientWidth / width, at = best / 4;"
        "const place = [(at % width) * scale, Math.floor(at / width) * scale];"
        "return [...place, ...data.slice(best, best + 3)]"
    )
    return x, y, colour


def test_tracks_are_found_by_any_of_their_words(browser: Chrome, opened: Opened) -> None:
    opened(SONGS)
    found(browser, "64 tracks")
    query = browser.find_element(By.ID, "query")
    for words, expected in (
        ("apfel", ["Äpfel"]),
        ("bjork jazz", ["Zebra"]),
        ("2004", ["Middle"]),
        ("silent", ["No genre at all"]),
    ):
        query.clear()
        query.send_keys(words)
        lists(browser, expected)
    found(browser, "1 of 64 tracks")
    query.send_keys("nothing has this")
    found(browser, "0 of 64 tracks")
    browser.find_element(By.ID, "clear").click()
    found(browser, "64 tracks")


def test_tracks_are_filtered_by_genre_status_and_year(browser: Chrome, opened: Opened) -> None:
    opened(SONGS)
    genre, state = (Select(browser.find_element(By.ID, id_)) for id_ in ("genre", "state"))
    assert [one.text for one in genre.options][:5] == [
        *("any", "no genre", "Folk (60)", "Jazz (2)", "Rock (2)"),
    ]
    genre.select_by_visible_text("Rock (2)")
    found(browser, "2 of 64 tracks")
    assert titles(browser) == ["Äpfel", "Middle"]
    browser.find_element(By.ID, "since").send_keys("2000")
    found(browser, "1 of 64 tracks")
    browser.find_element(By.ID, "clear").click()
    browser.find_element(By.ID, "until").send_keys("1999")
    found(browser, "2 of 64 tracks")
    browser.find_element(By.ID, "clear").click()
    state.select_by_visible_text("blank, for any reason")
    found(browser, "1 of 64 tracks")
    assert titles(browser) == ["No genre at all"]


def test_a_genre_of_the_map_is_chosen_by_its_colour_and_keys_stay_in_it(
    browser: Chrome, opened: Opened
) -> None:
    opened(SONGS)
    chip = browser.find_element(By.CSS_SELECTOR, '[data-genre="=folk"]')
    assert chip.text.split() == ["Folk", "60"]
    chip.send_keys(Keys.ENTER)
    found(browser, "60 of 64 tracks")
    assert chip.get_attribute("aria-pressed") == "true"
    chart = browser.find_element(By.ID, "map")
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_DOWN) * 3:
        chart.send_keys(key)
        assert text_of(browser, "#track h3").startswith("Song")
    chip.send_keys(Keys.ENTER)
    found(browser, "64 tracks")


def test_the_list_is_sorted_and_turned_page_by_page(browser: Chrome, opened: Opened) -> None:
    opened(SONGS)
    assert titles(browser)[:2] == ["Zebra", "Äpfel"]
    assert len(titles(browser)) == 25
    head = browser.find_element(By.CSS_SELECTOR, "[data-sort=title]")
    head.click()
    assert titles(browser)[:3] == ["Äpfel", "Middle", "No genre at all"]
    head.send_keys(Keys.ENTER)
    assert titles(browser)[0] == "Zebra"
    assert browser.find_element(By.CSS_SELECTOR, "th[aria-sort=descending]").text.startswith(
        "Title"
    )
    browser.find_element(By.CSS_SELECTOR, "[data-sort=year]").click()
    assert titles(browser)[:4] == ["Zebra", "Äpfel", "Middle", "No genre at all"]
    browser.find_element(By.ID, "last").send_keys(Keys.ENTER)
    assert text_of(browser, "#page") == "Page 3 of 3"
    assert len(titles(browser)) == 14
    assert not browser.find_element(By.ID, "next-page").is_enabled()


def test_the_map_is_walked_by_keys_and_each_dot_shows_its_track(
    browser: Chrome, opened: Opened
) -> None:
    opened(SONGS)
    chart = browser.find_element(By.ID, "map")
    chart.send_keys(Keys.ARROW_RIGHT)
    first = text_of(browser, "#track h3")
    assert first in text_of(browser, "#map-says")
    near = [one.text for one in browser.find_elements(By.CSS_SELECTOR, "#track ol button")]
    assert len(near) == 5
    seen = {first}
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_DOWN) * 3:
        chart.send_keys(key)
        seen.add(text_of(browser, "#track h3"))
    assert len(seen) > 3
    browser.find_element(By.CSS_SELECTOR, "#track ol button").send_keys(Keys.ENTER)
    settled(browser)
    assert browser.switch_to.active_element.tag_name == "h3"
    assert "Artist" in text_of(browser, "#track dl")
    chart.send_keys(Keys.ESCAPE)
    assert text_of(browser, "#track h3") == ""


def test_a_dot_that_is_clicked_and_a_row_that_is_chosen_show_their_track(
    browser: Chrome, opened: Opened
) -> None:
    opened(SONGS)
    x, y, _ = colour_of_a_dot(browser)
    chart = browser.find_element(By.ID, "map")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    middle = chart.size["width"] / 2, chart.size["height"] / 2
    ActionChains(browser).move_to_element_with_offset(
        chart, round(x - middle[0]), round(y - middle[1])
    ).click().perform()
    assert text_of(browser, "#track h3") in [one.tags.title for one in SONGS]
    browser.find_element(By.CSS_SELECTOR, "#rows tr:nth-child(3) button").send_keys(Keys.ENTER)
    assert text_of(browser, "#track h3") == "Middle"
    assert "rock" in text_of(browser, "#track dl")
    assert text_of(browser, "#rows tr[aria-current] th") == "Middle"


def test_the_map_comes_closer_and_follows_what_is_chosen(browser: Chrome, opened: Opened) -> None:
    opened(SONGS)
    whole = colour_of_a_dot(browser)
    chart = browser.find_element(By.ID, "map")
    chart.send_keys("+", "+")
    assert colour_of_a_dot(browser)[:2] != whole[:2]
    browser.find_element(By.CSS_SELECTOR, "#rows button").send_keys(Keys.ENTER)
    chart.send_keys("0")
    assert colour_of_a_dot(browser)[:2] == whole[:2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window_and_nothing_does_what_a_name_says(
    browser: Chrome, opened: Opened, width: int, scheme: str
) -> None:
    opened(ODD, width, scheme)
    found(browser, "10 tracks")
    for number in (1, 2):
        browser.find_element(By.CSS_SELECTOR, f"#rows tr:nth-child({number}) button").click()
        settled(browser)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        overflowing = browser.execute_script(
            "return [...document.querySelectorAll('table, section, pre')]"
            ".filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML)"
        )
        assert overflowing == []
    browser.find_element(By.CSS_SELECTOR, "#rows tr:nth-child(1) button").click()
    assert text_of(browser, "#track h3") == HOSTILE.replace("\u2028", r"\u2028")
    assert browser.execute_script("return window.pwned") is None
    assert not browser.find_elements(By.CSS_SELECTOR, "img")
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_map_is_as_light_and_as_fine_as_the_screen(browser: Chrome, opened: Opened) -> None:
    opened(SONGS)
    *_, light = colour_of_a_dot(browser)
    sides = "const one = document.getElementById('dots'); return one.width / one.clientWidth"
    assert browser.execute_script(sides) == 1
    appear(browser, 1200, "dark", density=2)
    WebDriverWait(browser, 10).until(lambda _: browser.execute_script(sides) == 2)
    *_, dark = colour_of_a_dot(browser)
    assert sum(dark) > sum(light)


def test_without_a_script_the_tables_are_there(browser: Chrome, opened: Opened) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    opened(SONGS)
    assert browser.find_element(By.CSS_SELECTOR, "#genres table").is_displayed()
    assert not browser.find_element(By.ID, "tracks").is_displayed()
    assert "tagger list" in browser.find_element(By.TAG_NAME, "noscript").text


def test_all_that_is_asked_of_a_large_library_is_measured(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(report_scale.main, [str(tmp_path), "-n", "400", "--rounds", "1"])
    assert outcome.exit_code == 0, outcome.output
    rows = [line for line in outcome.output.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [
        "| tagger report: processor, memory",
        "| the page",
        "| until the page stands",
        "| a search, shown: the first, then",
        "| a step on the map",
    ]
