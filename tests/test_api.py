"""What ``import tagger`` offers: the names, and that the examples of its page run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tagger
from tagger.errors import AudioDecodeError, ConfigError
from tagger.reasons import ReasonCode
from tagger.records import Status
from tests.library import CONFIDENCE, make_track

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.fixture
def library(tmp_path: Path, music: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two tracks, a catalogue and a model, as the page takes them for granted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAGGER_CATALOG", "catalog.db")
    monkeypatch.setenv("TAGGER_MODEL", str(model))
    monkeypatch.setenv("TAGGER_JOBS", "1")
    make_track(music / "song.flac")
    make_track(music / "other.flac", duration_s=6.0)  # of another length: another recording
    return music


def test_the_names_are_listed_sorted_and_there() -> None:
    assert tagger.__all__ == sorted(tagger.__all__)
    assert all(getattr(tagger, name) is not None for name in tagger.__all__)
    assert set(tagger.__all__) <= set(dir(tagger))


def test_no_other_name_is_offered() -> None:
    assert set(tagger._PLACES) == set(tagger.__all__) - {"__version__"}
    with pytest.raises(AttributeError, match="no attribute 'listen'"):
        _ = tagger.listen


def test_the_examples_of_the_page_run(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 5
    printed = []
    for example in examples:
        exec(compile(example, "docs/api.md", "exec"), {})
        printed.append(capsys.readouterr().out)
    assert printed[0].splitlines()[1].startswith("Rock 0.6")
    assert "other.flac ('Rock',)" in printed[1]
    assert printed[2] == ""
    assert "other.flac" in printed[3]
    assert "song.flac ('Rock',) written" in printed[4]


def test_a_file_is_classified_and_left_alone(library: Path) -> None:
    before = (library / "song.flac").read_bytes()
    sure = tagger.classify(library / "song.flac", min_confidence=0.5)
    assert (sure.status, sure.genres) == (Status.PREDICTED, ("Rock",))
    assert sure.confidence == pytest.approx(CONFIDENCE, abs=0.05)
    unsure = tagger.classify(str(library / "song.flac"), min_confidence=0.9)
    assert (unsure.status, unsure.genres) == (Status.UNSURE, ())
    assert unsure.reason is not None
    assert unsure.reason.code is ReasonCode.UNSURE
    assert (library / "song.flac").read_bytes() == before
    assert not Path("catalog.db").exists()


def test_what_cannot_be_heard_says_why(library: Path) -> None:
    with pytest.raises(AudioDecodeError) as caught:
        tagger.classify(library / "none.flac")
    assert caught.value.why.code is ReasonCode.MISSING


def test_a_setting_that_is_none_is_an_error(library: Path) -> None:
    with pytest.raises(ConfigError, match="unknown setting 'min_confidense'"):
        tagger.classify(library / "song.flac", min_confidense=0.5)


def test_a_run_that_is_left_early_ends(library: Path) -> None:
    results = tagger.tag([library], write=False)
    assert next(results).status is Status.PREDICTED
    results.close()  # type: ignore[attr-defined]
    with tagger.Catalog.open("catalog.db", read_only=True) as catalog:
        (run,) = catalog.runs()
    assert run.ended is not None
    assert run.summary.interrupted
