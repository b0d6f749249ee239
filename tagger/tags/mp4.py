"""MP4 and M4A files: the genre in moov/udta/meta/ilst, everything else byte for byte.

Room comes from the free atom behind the tags; where there is none, the tags grow, and the chunk
offsets (stco, co64) that point behind them are moved along, so that they find the same bytes.
Source: ISO/IEC 14496-12; atomicparsley.sourceforge.net, "iTunes metadata".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tagger.genre_text import without_repeats
from tagger.tag_fields import Form
from tagger.tags.fields import (
    Change,
    Container,
    Part,
    Span,
    TagFaultError,
    is_wanted,
    names_genre,
    texts_said,
)
from tagger.tags.id3_genres import genre_of_number
from tagger.tags.mp4_atoms import Atom, atom_bytes, child_atoms, moov_of, top_atoms
from tagger.tags.mp4_offsets import chunk_targets, moved_offsets
from tagger.tags.splices import Splice, digest, read_at

_GENRE, _NUMBERED, _FREEFORM = b"\xa9gen", b"gnre", b"----"
_OURS = (b"tagger", b"GENRE")  # mean and name of a free-form atom
_PAIRS = (b"disk", b"trkn")  # numbers of two bytes each: which one, and of how many
_TEXT = (1).to_bytes(4) + bytes(4)  # A data atom's type (UTF-8) and locale (any).
_NEW_PADDING = 2048
# Padding, and user data that hold nothing yet.
_MAY_CHANGE = ((b"moov", b"udta", b"meta", b"free"), (b"moov", b"udta"))
_HANDLER = atom_bytes(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))


def read(file: BinaryIO) -> list[Container]:
    """Return what the iTunes tags of the file say."""
    moov = moov_of(top_atoms(file))
    bare = _bare_genres(file, moov)
    outside = [Container("QuickTime", genres=without_repeats(bare))] if bare else []
    ilst = _ilst(moov)
    return outside if ilst is None else [_read_items(file, child_atoms(file, ilst)), *outside]


def _read_items(file: BinaryIO, items: tuple[Atom, ...]) -> Container:
    numbers = [genre_of_number(int.from_bytes(v) - 1) for v in _values(file, items, _NUMBERED)]
    free = tuple(item for item in items if _is_free_genre(file, item))
    genres = [*_texts(file, items, _GENRE), *numbers, *_texts(file, free, _FREEFORM)]
    return Container(
        name="MP4",
        genres=without_repeats(genres),
        provenance=next(iter(_free_texts(file, items, _OURS)), None),
        texts=texts_said(Form.MP4, _said(file, items)),
    )


def plan(file: BinaryIO, change: Change) -> list[Splice]:
    """Return what to change so that the file carries these genres."""
    tops = top_atoms(file)
    moov = moov_of(tops)
    if without_repeats(_bare_genres(file, moov)):
        raise TagFaultError("its genre stands outside iTunes's tags; move it with a tag editor")
    edit, parents = _edit_of_tags(file, moov, change)
    step = len(edit.new) - edit.length
    if not step:
        return [edit]
    splices = [edit, *moved_offsets(file, tops, behind=edit.end, step=step)]
    return splices + [s for parent in parents for s in _resized(file, parent, step)]


def rest(file: BinaryIO) -> list[Part]:
    """Return all that a change of genre must leave alone."""
    tops = top_atoms(file)
    parts: list[Part] = []
    for atom in (a for top in tops for a in top.walk() if not a.children):
        name = f"the MP4 atom {b'/'.join(atom.path).decode('latin-1')}"
        if atom.path == (b"moov", b"udta", b"meta", b"ilst"):
            parts += [_item_part(file, item) for item in _others(file, child_atoms(file, atom))]
        elif atom.kind in (b"stco", b"co64"):
            parts.append((name, chunk_targets(file, tops, atom)))
        elif atom.path not in _MAY_CHANGE:
            parts.append((name, digest(file, atom.body, atom.end)))
    return parts


def audio(file: BinaryIO) -> list[Span]:
    """Return where the media data stand."""
    return [(atom.body, atom.end) for atom in top_atoms(file) if atom.kind == b"mdat"]


def _edit_of_tags(file: BinaryIO, moov: Atom, change: Change) -> tuple[Splice, list[Atom]]:
    """Return the splice that sets the genres, and the atoms that grow by what it adds."""
    udta = moov.one(b"udta")
    meta = udta.one(b"meta") if udta else None
    ilst = meta.one(b"ilst") if meta else None
    new = _new_ilst(file, ilst, change)
    padded = new + _free(_NEW_PADDING)
    if udta is None:
        return Splice(moov.end, 0, atom_bytes(b"udta", _new_meta(padded))), [moov]
    if meta is None:
        place = udta.children[-1].end if udta.children else udta.body
        return Splice(place, 0, _new_meta(padded)), [moov, udta]
    if ilst is None:
        _refuse_foreign_meta(file, meta)
        return Splice(meta.end, 0, padded), [moov, udta, meta]
    return _fitted(meta, ilst, new), [moov, udta, meta]


def _fitted(meta: Atom, ilst: Atom, new: bytes) -> Splice:
    """Put new tags in the place of the old ones and of the free atom behind them."""
    free = next((a for a in meta.children if a.offset == ilst.end and a.kind == b"free"), None)
    room = ilst.size + (free.size if free else 0)
    left = room - len(new)
    if left == 0 or left >= 8:
        return Splice(ilst.offset, room, new + _free(left))
    return Splice(ilst.offset, room, new + _free(_NEW_PADDING))


def _free(size: int) -> bytes:
    return atom_bytes(b"free", bytes(size - 8)) if size else b""


def _new_meta(body: bytes) -> bytes:
    return atom_bytes(b"meta", bytes(4) + _HANDLER + body)


def _refuse_foreign_meta(file: BinaryIO, meta: Atom) -> None:
    handler = meta.one(b"hdlr")
    if handler is None or read_at(file, handler.body, 12)[8:] != b"mdir":
        raise TagFaultError("its metadata are of a kind that is not iTunes's; remux the file first")


def _resized(file: BinaryIO, atom: Atom, step: int) -> list[Splice]:
    size = int.from_bytes(read_at(file, atom.offset, 4))
    if size == 0:
        return []  # It reaches to the end of the file, however long.
    if size == 1:
        return [Splice(atom.offset + 8, 8, (atom.size + step).to_bytes(8))]
    if not 0 <= size + step < 1 << 32:
        raise TagFaultError("its tags are too long for an MP4 atom")
    return [Splice(atom.offset, 4, (size + step).to_bytes(4))]


def _new_ilst(file: BinaryIO, ilst: Atom | None, change: Change) -> bytes:
    items = child_atoms(file, ilst) if ilst else ()
    first = next((n for n, item in enumerate(items) if _is_genre(file, item)), None)
    before, after = items[:first], () if first is None else items[first:]
    kept = [[_raw(file, item) for item in _others(file, part)] for part in (before, after)]
    return atom_bytes(b"ilst", b"".join([*kept[0], _our_items(change), *kept[1]]))


def _our_items(change: Change) -> bytes:
    data = [atom_bytes(b"data", _TEXT + genre.encode("utf-8")) for genre in change.genres]
    genre = atom_bytes(_GENRE, b"".join(data)) if data else b""
    if change.provenance is None:
        return genre
    mean = atom_bytes(b"mean", bytes(4) + _OURS[0])
    name = atom_bytes(b"name", bytes(4) + _OURS[1])
    text = atom_bytes(b"data", _TEXT + change.provenance.encode("utf-8"))
    # FFmpeg looks at the name alone and takes our field for the genre, unless that comes later.
    return atom_bytes(_FREEFORM, mean + name + text) + genre


def _others(file: BinaryIO, items: tuple[Atom, ...]) -> list[Atom]:
    return [item for item in items if not _is_genre(file, item) and not _is_our_field(file, item)]


def _is_genre(file: BinaryIO, item: Atom) -> bool:
    return item.kind in (_GENRE, _NUMBERED) or _is_free_genre(file, item)


def _is_free_genre(file: BinaryIO, item: Atom) -> bool:
    """Return whether a free-form atom is a genre to others, who look at its name alone."""
    if item.kind != _FREEFORM or _is_our_field(file, item):
        return False
    name = b"".join(_free_name(file, item)[1:])
    return names_genre(name.decode("utf-8", "replace"))


def _bare_genres(file: BinaryIO, moov: Atom) -> list[str]:
    """Return genres that stand in the user data themselves, as QuickTime and 3GPP write them."""
    udta = moov.one(b"udta")
    genres = []
    for atom in udta.children if udta else ():
        if atom.kind in (_GENRE, _NUMBERED):
            # A length and a language, or a version and a language, stand before the text.
            skipped = 4 if atom.kind == _GENRE else 6
            text = _raw(file, atom)[8 + skipped :].split(b"\0")[0]
            genres.append(text.decode("utf-8", "replace"))
    return genres


def _is_our_field(file: BinaryIO, item: Atom) -> bool:
    return item.kind == _FREEFORM and _free_name(file, item) == _OURS


def _free_name(file: BinaryIO, item: Atom) -> tuple[bytes, ...]:
    """Return mean and name of a free-form atom, as far as it has them."""
    inside = child_atoms(file, item)
    said = {a.kind: _raw(file, a)[12:] for a in inside if a.kind in (b"mean", b"name")}
    return tuple(said.values()) if list(said) == [b"mean", b"name"] else ()


def _free_texts(file: BinaryIO, items: tuple[Atom, ...], names: tuple[bytes, bytes]) -> list[str]:
    free = [item for item in items if item.kind == _FREEFORM]
    found = tuple(item for item in free if _free_name(file, item) == names)
    return _texts(file, found, _FREEFORM)


def _said(file: BinaryIO, items: tuple[Atom, ...]) -> Iterator[tuple[str, str]]:
    """Yield the texts of the atoms that are read, by what people call each."""
    for item in items:
        name = _free_name(file, item) if item.kind == _FREEFORM else ()
        key = b":".join((item.kind, *name)).decode("latin-1")
        if is_wanted(Form.MP4, key):
            yield from ((key, _text(item, value)) for value in _values(file, (item,), item.kind))


def _text(item: Atom, value: bytes) -> str:
    if item.kind in _PAIRS:
        return str(int.from_bytes(value[2:4]))
    return value.decode("utf-8", "replace")


def _item_part(file: BinaryIO, item: Atom) -> Part:
    return f"the MP4 tag {item.kind.decode('latin-1')!r}", digest(file, item.offset, item.end)


def _raw(file: BinaryIO, atom: Atom) -> bytes:
    return read_at(file, atom.offset, atom.size)


def _ilst(moov: Atom) -> Atom | None:
    udta = moov.one(b"udta")
    meta = udta.one(b"meta") if udta else None
    return meta.one(b"ilst") if meta else None


def _values(file: BinaryIO, items: tuple[Atom, ...], kind: bytes) -> list[bytes]:
    data = [a for item in items if item.kind == kind for a in child_atoms(file, item)]
    return [_raw(file, atom)[16:] for atom in data if atom.kind == b"data"]


def _texts(file: BinaryIO, items: tuple[Atom, ...], kind: bytes) -> list[str]:
    return [value.decode("utf-8", "replace") for value in _values(file, items, kind)]
