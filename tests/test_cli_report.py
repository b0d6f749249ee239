"""``tagger report``: what is written where, from what, and what is left alone."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tagger.catalog import Catalog, ModelRecord
from tagger.models.files import BUNDLED, read_card
from tagger.records import Status, TagsFound
from tagger.report.facts import Report, Suspects
from tagger.report.reporting import ReportRequest, gather
from tests.catalogs import MODEL, MUSIC, Location, begin, entry, filled
from tests.lessons import library
from tests.library import contents, make_track, run_tagger
from tests.reports import parsed

OLD = "<!DOCTYPE html><!-- tagger report -->\nof last year\n"


@pytest.fixture
def known(place: Path) -> Path:
    """A catalogue of ninety tracks by persons, of whose genres five are wrong, and one of ours."""
    with library(place, wrong=5) as catalog:
        catalog.record(1, [entry("mine/1.mp3", 91)])
    return place


def test_one_track_is_no_tracks(known: Path, tmp_path: Path) -> None:
    given = ("--catalog", known, "--under", MUSIC / "mine")
    outcome = run_tagger("report", "-o", tmp_path / "r.html", *given)
    assert outcome.err == f"1 track in {tmp_path / 'r.html'}\n"


def test_a_page_is_written_from_the_catalogue_alone(known: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)
    outcome = run_tagger("report", "-o", tmp_path / "r.html", "--catalog", known)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"91 tracks in {tmp_path / 'r.html'}\n"
    page = parsed((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert {"Dub", "Fado"} <= {node.text for node in page.all("bdi")}
    doubtful = run_tagger("doubtful", "--catalog", known, "--format", "jsonl").records
    suspects = page.rows("Tracks whose genre looks wrong")
    assert 5 <= len(suspects) < 10
    for row, doubt in zip(suspects, doubtful, strict=True):
        assert row.startswith(f"{doubt['path']} {doubt['genres'][0]} ")
    assert page.all("div", id="map")
    (tmp_path / "r.html").unlink()
    assert contents(tmp_path) == before


def test_a_catalogue_that_may_not_be_written_to_is_read_and_left_as_it_is(
    known: Path, tmp_path: Path
) -> None:
    known.chmod(0o400)
    before = contents(tmp_path)
    outcome = run_tagger("report", "-o", "-", "--catalog", known)
    assert (outcome.code, outcome.err) == (0, "")
    assert contents(tmp_path) == before


def test_a_page_can_go_to_standard_output(known: Path, tmp_path: Path) -> None:
    outcome = run_tagger("report", "-o", "-", "--catalog", known)
    assert outcome.code == 0
    assert outcome.out.endswith("</html>\n")
    parsed(outcome.out)
    assert not (tmp_path / "-").exists()


def test_an_older_report_is_replaced_and_nothing_else_is(known: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.html"
    older.write_text(OLD)
    assert run_tagger("report", "-o", older, "--catalog", known).code == 0
    assert older.read_text(encoding="utf-8").endswith("</html>\n")
    song = make_track(tmp_path / "song.flac")
    note = tmp_path / "note.html"
    note.write_text("<!DOCTYPE html><p>mine")
    before = contents(tmp_path)
    for target in (song, note, known):
        outcome = run_tagger("report", "-o", target, "--catalog", known)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert f"{target}: a file that is no report is there" in outcome.err
    assert contents(tmp_path) == before


def test_nothing_is_left_by_a_kill_while_the_catalogue_is_read(
    known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def looking(catalog: Catalog, request: ReportRequest, suspects: Suspects) -> Report:
        seen.append(sorted(path.name for path in (tmp_path / "out").iterdir()))
        return gather(catalog, request, suspects)

    (tmp_path / "out").mkdir()
    monkeypatch.setattr("tagger.cli.report.gather", looking)
    assert run_tagger("report", "-o", tmp_path / "out" / "r.html", "--catalog", known).code == 0
    assert seen == [[]]


def test_a_place_that_cannot_be_written_is_named(known: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for target in (tmp_path, tmp_path / "none" / "r.html", tmp_path / "fifo"):
        outcome = run_tagger("report", "-o", target, "--catalog", known)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert str(target) in outcome.err


def test_without_a_file_to_write_it_is_wrong_usage(known: Path) -> None:
    outcome = run_tagger("report", "--catalog", known)
    assert outcome.code == 2
    assert "-o" in outcome.err


def test_without_a_catalogue_there_is_no_page(place: Path, tmp_path: Path) -> None:
    outcome = run_tagger("report", "-o", tmp_path / "r.html", "--catalog", place)
    assert outcome.code == 2
    assert "run tagger tag first" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_catalogue_makes_a_page_that_says_so(place: Path) -> None:
    Catalog.open(place).close()
    outcome = run_tagger("report", "-o", "-", "--catalog", place)
    assert outcome.code == 0
    assert "knows no track here yet" in parsed(outcome.out).text


def test_where_nothing_can_be_learned_tags_and_models_tell_what_looks_wrong(
    known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tagger.learning.teaching", raising=False)
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)  # comes with scikit-learn alone
    outcome = run_tagger("report", "-o", "-", "--catalog", known)
    assert outcome.code == 0
    assert "0 look wrong: by what the rest of the album" in parsed(outcome.out).text


def test_a_folder_that_is_not_known_makes_a_page_that_says_how_to_begin(known: Path) -> None:
    outcome = run_tagger("report", "-o", "-", "--catalog", known, "--under", "/other folder")
    assert outcome.code == 0
    text = parsed(outcome.out).text
    assert "knows no track here yet" in text
    assert f"tagger tag --dry-run '/other folder' --catalog {known}" in text


def test_a_report_of_one_folder_is_about_that_folder(known: Path) -> None:
    outcome = run_tagger("report", "-o", "-", "--catalog", known, "--under", MUSIC / "mine")
    page = parsed(outcome.out)
    assert page.rows("Tracks by folder") == ["/music/mine 1 0 Rock 100 %"]
    assert "Nothing could be judged: no track with a genre of yours" in page.text


def test_commands_name_the_catalogue_from_the_root_if_an_option_did(
    known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(known.parent)
    nothing_learned = str(known.parent / "data")
    outcome = run_tagger(
        "report", "-o", "-", "--catalog", known.name, XDG_DATA_HOME=nothing_learned
    )
    assert f"tagger learn /music --catalog {known}" in parsed(outcome.out).text
    outcome = run_tagger(
        "report", "-o", "-", TAGGER_CATALOG=str(known), XDG_DATA_HOME=nothing_learned
    )
    text = parsed(outcome.out).text
    assert "tagger learn /music" in text
    assert str(known) not in text


def test_commands_name_the_model_of_the_last_run_whatever_this_page_is_made_by(place: Path) -> None:
    card = read_card(BUNDLED / "musicnn.pt")
    one = entry("1.mp3", tags=TagsFound(), status=Status.PREDICTED)
    with Catalog.open(place) as catalog:
        catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, 8))
        catalog.register_model(MODEL)
        catalog.record(catalog.begin_run("tag", card.model_id), [one])
    for options in ((), ("--model", "musicnn")):
        outcome = run_tagger("report", "-o", "-", "--catalog", place, *options)
        assert "tagger tag --model musicnn /music" in parsed(outcome.out).text


def test_a_model_that_lies_anywhere_is_named_by_its_path(place: Path, tmp_path: Path) -> None:
    own = tmp_path / "my own.pt"
    own.write_bytes((BUNDLED / "musicnn.pt").read_bytes())
    card = read_card(own)
    one = entry("1.mp3", tags=TagsFound(), status=Status.PREDICTED)
    with Catalog.open(place) as catalog:
        catalog.register_model(ModelRecord(card.model_id, card.architecture, card.labels, 8))
        catalog.register_model(MODEL)
        catalog.set_default_model(card.model_id, own)
        catalog.record(catalog.begin_run("tag", card.model_id), [one])
    outcome = run_tagger("report", "-o", "-", "--catalog", place, TAGGER_MODEL="both")
    assert f"tagger tag --model '{own}' /music" in parsed(outcome.out).text
    outcome = run_tagger("report", "-o", "-", "--catalog", place)
    assert "tagger tag /music" in parsed(outcome.out).text


def test_the_map_is_made_by_the_model_that_is_named(known: Path) -> None:
    outcome = run_tagger("report", "-o", "-", "--catalog", known, "--model", "default")
    assert outcome.code == 0
    assert "There is no map yet" in parsed(outcome.out).text
    outcome = run_tagger("report", "-o", "-", "--catalog", known, "--model", "nobody")
    assert outcome.code == 2


def test_a_name_that_is_not_utf8_is_shown(location: Location) -> None:
    names = ("caf\udce9/1.mp3", "2<b>.mp3")
    filled(location, *(entry(name, n) for n, name in enumerate(names))).close()
    outcome = run_tagger("report", "-o", "-", "--catalog", location)
    page = parsed(outcome.out)
    assert page.rows("Tracks by folder") == [
        r"/music 1 0 Rock 100 %",
        r"/music/caf\xe9 1 0 Rock 100 %",
    ]
    assert not page.all("b")


def test_five_thousand_tracks_make_a_small_page_in_seconds(place: Path) -> None:
    tags = TagsFound((), None, "A title of a usual length", "An artist", "An album")
    with Catalog.open(place) as catalog:
        run_id = begin(catalog)
        for start in range(0, 5_000, 1000):
            batch = [
                replace(entry(f"{n % 300}/{n}.mp3", n % 50), tags=tags, status=Status.PREDICTED)
                for n in range(start, start + 1000)
            ]
            catalog.record(run_id, batch)
    started = time.process_time()
    outcome = run_tagger("report", "-o", "-", "--catalog", place)
    assert outcome.code == 0
    assert time.process_time() - started < 10  # seconds of the processor: 1 is usual
    assert len(outcome.out) < 1_000_000
    assert "5,000" in outcome.out
