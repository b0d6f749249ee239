"""MP4 atoms as they lie in a file: a tree of offsets and sizes. What they mean is left to mp4.py.

Source: ISO/IEC 14496-12, 4.2 and 8; QuickTime File Format, "Metadata".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tagger.tags.fields import TagFaultError
from tagger.tags.limits import MAX_ATOMS, refuse_too_many
from tagger.tags.splices import peek_at, read_at, size_of

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta", b"moof", b"traf"}


@dataclass(frozen=True, slots=True)
class Atom:
    """One atom: its path from the root, and where it and its body stand."""

    path: tuple[bytes, ...]
    offset: int
    body: int
    end: int
    children: tuple[Atom, ...] = ()

    @property
    def kind(self) -> bytes:
        """The four bytes that name it."""
        return self.path[-1]

    @property
    def n_atoms(self) -> int:
        """How many it is, with those in it."""
        return 1 + sum(child.n_atoms for child in self.children)

    @property
    def size(self) -> int:
        """Its length with its header."""
        return self.end - self.offset

    def walk(self) -> Iterator[Atom]:
        """Give the atom and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def one(self, kind: bytes) -> Atom | None:
        """Return the only child of this kind, None if there is none; refuse several."""
        return _only(self.children, kind)


def _only(atoms: tuple[Atom, ...], kind: bytes) -> Atom | None:
    found = [atom for atom in atoms if atom.kind == kind]
    if len(found) > 1:
        raise TagFaultError(f"it has {len(found)} atoms {kind.decode('latin-1')!r} in one place")
    return found[0] if found else None


def top_atoms(file: BinaryIO) -> tuple[Atom, ...]:
    """Return the atoms of a file, or raise TagFaultError where they do not fit it."""
    return _atoms(file, (), 0, size_of(file))


def moov_of(tops: tuple[Atom, ...]) -> Atom:
    """Return the atom that describes the file, or raise TagFaultError where it is missing."""
    moov = _only(tops, b"moov")
    if moov is None:
        raise TagFaultError("it is cut short: its MP4 index (moov) is missing")
    return moov


def atom_bytes(kind: bytes, body: bytes) -> bytes:
    """Return an atom with a header of eight bytes."""
    return (len(body) + 8).to_bytes(4) + kind + body


def child_atoms(file: BinaryIO, atom: Atom) -> tuple[Atom, ...]:
    """Return the atoms in the body of an atom that is not opened by itself (ilst, ©gen …)."""
    return _atoms(file, atom.path, atom.body, atom.end)


def _atoms(file: BinaryIO, path: tuple[bytes, ...], at: int, end: int) -> tuple[Atom, ...]:
    atoms: list[Atom] = []
    n_atoms = 0
    while at < end:
        # QuickTime may end user data with four zero bytes in place of an atom.
        if path[-1:] == (b"udta",) and end - at == 4 and not any(read_at(file, at, 4)):
            break
        atom = _atom_at(file, path, at, end)
        atoms.append(atom)
        n_atoms += atom.n_atoms
        refuse_too_many(range(n_atoms), MAX_ATOMS)
        at = atom.end
    return tuple(atoms)


def _refuse_too_many_items(file: BinaryIO, tags: Atom) -> None:
    """Raise TagLimitError where tags hold too many items, whatever else is wrong with the file."""
    at, n_items = tags.body, 0
    while at < tags.end:
        n_items += 1
        refuse_too_many(range(n_items))
        at += max(8, int.from_bytes(peek_at(file, at, 4)))


def _atom_at(file: BinaryIO, path: tuple[bytes, ...], at: int, end: int) -> Atom:
    header = peek_at(file, at, 16)
    size, kind, header_size = int.from_bytes(header[:4]), header[4:8], 8
    if size == 1:
        size, header_size = int.from_bytes(header[8:16]), 16
    elif size == 0 and not path:
        size = end - at  # The last atom of a file may leave its length open.
    if len(header) < header_size or size < header_size or at + size > end:
        raise TagFaultError(f"it is damaged or cut short: no MP4 atom fits at byte {at}")
    if len(path) > 16:
        raise TagFaultError("its MP4 atoms are nested too deep")
    whole = Atom((*path, kind), at, at + header_size, at + size)
    if kind in (b"udta", b"ilst"):
        _refuse_too_many_items(file, whole)
    if kind not in _CONTAINERS:
        return whole
    # ISO's meta begins with a version and flags, QuickTime's does not.
    skipped = 4 if kind == b"meta" and peek_at(file, whole.body + 4, 4) != b"hdlr" else 0
    inside = _atoms(file, whole.path, whole.body + skipped, whole.end)
    return Atom(whole.path, whole.offset, whole.body + skipped, whole.end, inside)
