"""Somebody who works in a folder: makes, changes, moves and deletes, by dice."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

_SIZES = (0, 1, 100, 5_000, 70_000, 300_000, 700_000, 2_000_000, 5_000_000)
_WEIGHTS = (2, 2, 6, 6, 4, 3, 2, 1, 1)
_NAMES = ("a", "b", "A", "ü d", "e.mp4", "f'%", "caf\u00e9", "cafe\u0301", "$(id)", "Ω+&?#")
_COMPOSED = tuple(name for name in _NAMES if unicodedata.is_normalized("NFC", name))  # rclone's server folds the others
_BYTES = (b"\xff\xfe", b"caf\xe9", b"x\ny", b"\x1b[2J")  # no UTF-8, or what moves a cursor
_MARK = ".nephos-watch"
_PAST, _FUTURE = -1_000_000_000, 4_000_000_000


class Folder:
    """One watched folder with a place outside of it; `done` is the story, for whoever looks for what went wrong."""

    def __init__(self, dice: random.Random, root: Path, *, any_bytes: bool, apart: bool) -> None:
        """`any_bytes`: names need not be plain text; `apart`: no folder is called as a file was, nor the reverse."""
        self.dice = dice
        self.inbox = root / "inbox"
        self.outside = root / "outside"
        self.done: list[str] = []
        self._any_bytes = any_bytes
        self._apart = apart
        self._root = root
        for folder in (self.inbox, self.outside):
            folder.mkdir(parents=True)
        self._weights: dict[Callable[[], None], int] = {
            self._create: 6,
            self._append: 3,
            self._overwrite: 3,
            self._same_size: 1,
            self._shorten: 1,
            self._touch: 1,
            self._rename: 5,
            self._replace: 2,
            self._move_folder: 4,
            self._move_out: 2,
            self._move_in: 2,
            self._delete: 3,
            self._delete_folder: 1,
            self._file_to_folder: not apart,
            self._folder_to_file: not apart,
            self._burst: 1,
            self._swap: 1,
            self._hard_link: 1,
            self._strange: 1,
        }

    def act(self) -> None:
        """Do one thing; what is not possible just now is left."""
        action = self.dice.choices(list(self._weights), list(self._weights.values()))[0]
        with contextlib.suppress(FileNotFoundError, IndexError):
            action()

    def note(self, what: str, *paths: Path) -> None:
        self.done.append(" ".join([what, *(repr(os.path.relpath(path, self._root)) for path in paths)]))

    def _files(self) -> list[Path]:
        return [path for path in self._all() if path.is_file() and not path.is_symlink()]

    def _folders(self) -> list[Path]:
        return [path for path in self._all() if path.is_dir() and not path.is_symlink()]

    def _all(self) -> list[Path]:
        return sorted((path for path in self.inbox.rglob("*") if path.name != _MARK), key=os.fsencode)

    def _folder_name(self) -> str:
        return self._name() + (" folder" if self._apart else "")

    def _name(self) -> str:
        if self._any_bytes and self.dice.random() < 0.05:
            return os.fsdecode(self.dice.choice(_BYTES))
        return self.dice.choice(_NAMES if self._any_bytes else _COMPOSED) + str(self.dice.randrange(4))

    def _place(self) -> Path:
        """Some name in some folder; no file where a folder is, and the reverse."""
        folder = self.dice.choice([self.inbox, *self._folders()[:6], self.inbox / self._folder_name() / "in folder"])
        if any(os.path.lexists(part) and not part.is_dir() for part in (folder, *folder.parents)):
            raise FileNotFoundError
        folder.mkdir(parents=True, exist_ok=True)
        return folder / self._name()

    def _content(self) -> bytes:
        return self.dice.randbytes(self.dice.choices(_SIZES, _WEIGHTS)[0])

    def _create(self) -> None:
        place = self._place()
        if not os.path.lexists(place):
            place.write_bytes(self._content())
            self.note("create", place)

    def _append(self) -> None:
        place = self.dice.choice(self._files())
        with place.open("ab") as stream:
            stream.write(self._content())
        self.note("append", place)

    def _overwrite(self) -> None:
        place = self.dice.choice(self._files())
        place.write_bytes(self._content())
        self.note("overwrite", place)

    def _same_size(self) -> None:
        place = self.dice.choice(self._files())
        place.write_bytes(self.dice.randbytes(place.stat().st_size))
        self.note("other content of the same size", place)

    def _shorten(self) -> None:
        place = self.dice.choice(self._files())
        os.truncate(place, place.stat().st_size // 2)
        self.note("shorten", place)

    def _touch(self) -> None:
        place = self.dice.choice(self._files())
        moment = self.dice.randrange(_PAST, _FUTURE)
        os.utime(place, (moment, moment))
        self.note(f"touch {moment}", place)

    def _rename(self) -> None:
        place, new = self.dice.choice(self._files()), self._place()
        if not new.is_dir():
            place.rename(new)
            self.note("rename", place, new)

    def _replace(self) -> None:
        place = self.dice.choice(self._files())
        temporary = place.with_name("replaces.tmp")
        temporary.write_bytes(self._content())
        temporary.rename(place)
        self.note("replace", place)

    def _move_folder(self) -> None:
        folder = self.dice.choice(self._folders())
        new = self._place().with_name(self._folder_name())
        if not os.path.lexists(new) and folder not in new.parents and folder != new:
            folder.rename(new)
            self.note("move folder", folder, new)

    def _move_out(self) -> None:
        thing = self.dice.choice([*self._files(), *self._folders()])
        new = self.outside / f"{len(self.done)} {thing.name}"
        thing.rename(new)
        self.note("move out", thing, new)

    def _move_in(self) -> None:
        thing, new = self.dice.choice(sorted(self.outside.iterdir(), key=os.fsencode)), self._place()
        if thing.is_dir():
            new = new.with_name(self._folder_name())
        if not os.path.lexists(new):
            thing.rename(new)
            self.note("move in", thing, new)

    def _delete(self) -> None:
        place = self.dice.choice(self._files())
        place.unlink()
        self.note("delete", place)

    def _delete_folder(self) -> None:
        folder = self.dice.choice(self._folders())
        shutil.rmtree(folder)
        self.note("delete folder", folder)

    def _file_to_folder(self) -> None:
        place = self.dice.choice(self._files())
        place.unlink()
        place.mkdir()
        (place / "inside").write_bytes(self._content())
        self.note("a folder where a file was", place)

    def _folder_to_file(self) -> None:
        folder = self.dice.choice(self._folders())
        shutil.rmtree(folder)
        folder.write_bytes(self._content())
        self.note("a file where a folder was", folder)

    def _burst(self) -> None:
        folder = self.inbox / f"burst{len(self.done)}" / "deep folder"
        folder.mkdir(parents=True)
        for number in range(30):
            (folder / str(number)).write_bytes(self.dice.randbytes(200))
        self.note("burst", folder)

    def _swap(self) -> None:
        one, two = self.dice.sample(self._files(), 2) if len(self._files()) > 1 else (None, None)
        if one and two:
            between = self.inbox / "between.tmp"
            one.rename(between)
            two.rename(one)
            between.rename(two)
            self.note("swap", one, two)

    def _hard_link(self) -> None:
        place, new = self.dice.choice(self._files()), self._place()
        if not os.path.lexists(new):
            new.hardlink_to(place)
            self.note("hard link", place, new)

    def _strange(self) -> None:
        place = self._place()
        if not os.path.lexists(place):
            if self.dice.random() < 0.5:
                os.mkfifo(place)
            else:
                place.symlink_to(self.inbox)
            self.note("pipe or link", place)
