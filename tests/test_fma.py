"""FMA's metadata: read by name, and refused where they are not what they should be."""

import zipfile
from pathlib import Path

import pytest

from tagger.errors import DatasetError
from tests.synthetic import write_fma_metadata
from training.fma import read_tracks


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    write_fma_metadata(tmp_path / "forward.zip")
    write_fma_metadata(tmp_path / "backward.zip", backward=True)
    tracks = read_tracks(tmp_path / "backward.zip")
    assert tracks == read_tracks(tmp_path / "forward.zip")
    assert [track.track_id for track in tracks] == [2, 5, 10, 20, 30, 31, 32, 33, 99134]


@pytest.mark.parametrize("column", ["artist.id", "set.split", "set.subset", "track.genre_top"])
def test_metadata_that_lack_a_column_are_refused(tmp_path: Path, column: str) -> None:
    write_fma_metadata(tmp_path / "m.zip", left_out=[column])
    with pytest.raises(DatasetError, match=f"lacks the columns {column}"):
        read_tracks(tmp_path / "m.zip")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", "lacks the columns"),
        (b"\xff\xfe\x00", "not readable"),
        (b",artist,set,set,track\n,id,split,subset,genre_top\ntrack_id,,,,\n", "no track"),
        (b",artist,set,set,track\n,id,split,subset,genre_top\n,,,,\n2,1,test,small,Polka\n", "Pol"),
        (b",artist,set,set,track\n,id,split,subset,genre_top\n,,,,\n2,x,test,small,Pop\n", "'2'"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, table: bytes, said: str) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("fma_metadata/tracks.csv", table)
    with pytest.raises(DatasetError, match=said):
        read_tracks(tmp_path / "m.zip")


def test_a_damaged_metadata_archive_is_refused(tmp_path: Path) -> None:
    write_fma_metadata(tmp_path / "whole.zip")
    content = bytearray((tmp_path / "whole.zip").read_bytes())
    (tmp_path / "cut.zip").write_bytes(content[:-50])
    content[100:120] = b"\0" * 20
    (tmp_path / "changed.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("other", "")
    for name, said in (("cut", "damaged"), ("changed", "damaged|Invalid"), ("other", "holds no")):
        with pytest.raises(DatasetError, match=said):
            read_tracks(tmp_path / f"{name}.zip")
