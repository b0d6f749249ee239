"""Settings and their order of precedence."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from tagger.config import Settings, kind_of, load_settings
from tagger.errors import ConfigError


def test_option_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('jobs = 2\nmax_genres = 3\nby = "track"\n')
    environment = {"TAGGER_JOBS": "4", "TAGGER_MAX_GENRES": "5"}
    settings, sources = load_settings({"jobs": 8}, environment=environment, file=file)
    assert (settings.jobs, settings.max_genres, settings.by) == (8, 5, "track")
    assert sources["jobs"].source == "option"
    assert sources["max_genres"].source == "TAGGER_MAX_GENRES"
    assert sources["by"].source == str(file)
    assert sources["timeout"].source == "default"


def test_copies_that_lose_something_are_allowed_by_a_setting(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("allow_copies = true\n")
    nobody_said, _ = load_settings({}, environment={}, file=tmp_path / "none.toml")
    in_file, _ = load_settings({}, environment={}, file=file)
    in_variable, _ = load_settings({}, environment={"TAGGER_ALLOW_COPIES": "no"}, file=file)
    assert not nobody_said.allow_copies
    assert in_file.allow_copies
    assert not in_variable.allow_copies


def test_the_catalogue_has_a_default_place(tmp_path: Path) -> None:
    settings, _ = load_settings({}, environment={}, file=tmp_path / "none.toml")
    assert settings.catalog.endswith("tagger/catalog.db")


@pytest.mark.parametrize(
    "text",
    [
        "jbos = 2",
        "jobs = 'many'",
        "min_confidence = 2",
        "by = 'year'",
        "jobs = [",
        "jobs = " + "[" * 20_000,
        "genres = 3",
        "treat_as_blank = 1",
        "genre_map = 'Rap'",
        "genre_map = {Rock = 1}",
        "genre_map = {Rock = ' Rap'}",
        "genre_map = {Rock = 'a;b'}",
        'genre_map = {Rock = "a\\u0000"}',
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings({}, environment={}, file=file)
    assert str(file) in str(caught.value)


def test_a_config_file_that_is_there_and_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "none.toml")
    (tmp_path / "circle").symlink_to("circle")
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("link", "not there"),
        ("circle", "circle"),
        ("pipe", "not a"),
        (".", "not a"),
    ):
        with pytest.raises(ConfigError, match=why):
            load_settings({}, environment={}, file=tmp_path / name)


def test_a_variable_that_makes_no_sense_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TAGGER_OVERWRITE"):
        load_settings({}, environment={"TAGGER_OVERWRITE": "perhaps"}, file=tmp_path / "none")


def test_what_counts_as_blank_and_what_is_written_for_a_label_can_be_set(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        'treat_as_blank = ["Other"]\n[genre_map]\n"Hip-Hop" = "Rap"\nInternational = ""\n'
    )
    settings, sources = load_settings({}, environment={}, file=file)
    assert settings.treat_as_blank == ("Other",)
    assert settings.genre_map == {"Hip-Hop": "Rap", "International": ""}
    assert sources["genre_map"].source == str(file)
    variables = {"TAGGER_TREAT_AS_BLANK": "Other, genre", "TAGGER_GENRE_MAP": "Hip-Hop=Rap,Pop="}
    settings, _ = load_settings({}, environment=variables, file=file)
    assert settings.treat_as_blank == ("Other", "genre")
    assert settings.genre_map == {"Hip-Hop": "Rap", "Pop": ""}


def test_by_default_nothing_counts_as_blank_and_labels_stand_for_themselves(tmp_path: Path) -> None:
    settings, _ = load_settings({}, environment={}, file=tmp_path / "none.toml")
    assert (settings.treat_as_blank, settings.genre_map) == ((), {})


def test_each_default_is_what_its_setting_may_be() -> None:
    defaults = Settings()
    for one in fields(Settings):
        value = getattr(defaults, one.name)
        assert value is None or kind_of(one.name).checked(value) == value


def test_a_genre_map_in_a_variable_needs_an_equals_sign(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TAGGER_GENRE_MAP"):
        load_settings({}, environment={"TAGGER_GENRE_MAP": "Rap"}, file=tmp_path / "none")
