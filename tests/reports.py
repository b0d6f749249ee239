"""Reading a report's page as a strict parser does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input"}


@dataclass
class Node:
    """An element as it was opened."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    inside: list[Node] = field(default_factory=list, repr=False)


@dataclass
class Page(HTMLParser):
    """A page: its elements, and its text; whatever is not closed in turn is an error."""

    nodes: list[Node] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _open: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"an attribute stands twice in {tag}"
        node = Node(tag, dict(attrs))
        self.nodes.append(node)
        for outer in self._open:
            outer.inside.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for node in self._open:
            node.text += data
        if self._open and self._open[-1].tag not in ("style", "script", "noscript"):
            self.words.append(data)

    @property
    def text(self) -> str:
        """All text that is shown, blanks made one."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **attributes: str) -> list[Node]:
        """The elements with a tag and these attributes."""
        return [
            node
            for node in self.nodes
            if node.tag == tag
            and all(node.attributes.get(key.strip("_")) == v for key, v in attributes.items())
        ]

    def rows(self, caption: str) -> list[str]:
        """The rows of the table with a caption, as text."""
        (table,) = [one for one in self.all("table") if one.text.strip().startswith(caption)]
        start = self.nodes.index(table)
        tables = [*self.all("table"), None]
        after = tables[tables.index(table) + 1]
        stop = self.nodes.index(after) if after else len(self.nodes)
        found = [node for node in self.nodes[start:stop] if node.tag == "tr"]
        return [" ".join(node.text.split()) for node in found[1:]]


def parsed(text: str) -> Page:
    """Read a page; nothing may be left open, and ids are there once."""
    page = Page()
    page.feed(text)
    page.close()
    assert not page._open
    ids = [node.attributes["id"] for node in page.nodes if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    return page
