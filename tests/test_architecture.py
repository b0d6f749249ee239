"""The map in docs/architecture.md shows the house as it stands."""

import re

from tools.draw_rooms import PICTURE, ROOT, drawn, room_graph

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_picture_of_the_rooms_is_that_of_the_code() -> None:
    assert PICTURE.read_text(encoding="utf-8") == drawn(room_graph()), (
        "draw it anew: python -m tools.draw_rooms"
    )


def test_the_map_tells_what_each_room_is_for() -> None:
    rows = re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert set(named) >= set(room_graph())
    assert [room for room in room_graph() if named.count(room) > 1] == []


def test_files_that_the_map_names_are_there() -> None:
    links = re.findall(r"\]\(((?!https?:|#)[^)#]+)\)", PAGE)
    assert len(links) > 8
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
