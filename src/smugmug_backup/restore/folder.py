"""The folder that is restored into: what is there, and new files that replace nothing.

A file is written under ``TARGET/.smugmug-restore/``, under a name that no other process has, made
durable there, and only then given its own name.
"""

import errno
import os  # noqa: TID251 - restored files are written here
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path  # noqa: TID251 - as above

from smugmug_backup.errors import BackupError, BadRequest
from smugmug_backup.restore.alone import TargetUnusable, said
from smugmug_backup.restore.exclusive import give_name

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WORKSHOP = ".smugmug-restore"
"""No restored name begins with a dot, so nothing can collide with it."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_LONGEST = 255
_TRIES = 10
_LEFT_OVER = 2 * 24 * 3600
"""So old (in seconds) a part is left over from a kill, even where another restore may be going on
unseen: a file of a day is written to all the time."""


class Differs(BackupError):
    """Something else has that name."""

    code = "differs"


class Linked(BackupError):
    """A folder on the way is a link: what is written through it would lie elsewhere."""

    code = "link"


class Folder:
    """TARGET; safe for many threads. ``token``: random, no other process has the same."""

    def __init__(self, root: Path, *, token: str) -> None:
        self.root = root
        self._shop = root / WORKSHOP
        self._token = token
        self._numbers = count()
        self._named: set[Path] = set()
        self._there: os.stat_result | None = None

    # -- the whole -------------------------------------------------------------------------------

    @contextmanager
    def workshop(self) -> Iterator[None]:
        """Make the folder ready, keep others out where the disk has locks, and tidy up after all,
        even after a kill. Raises TargetUnusable."""
        made_here = not os.path.lexists(self.root)
        lock, alone = self._locked()
        try:
            self._sweep(all_of_them=alone)
            yield
        finally:
            for folder in sorted(self._named):
                _make_durable(folder)
            self._tidy_up(lock)
            with suppress(OSError):
                if made_here:
                    self.root.rmdir()  # Only if nothing was restored.

    def _locked(self) -> tuple[int, bool]:
        """The open lock file, and whether the lock is ours."""
        tries = count(1)
        while True:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                self._there = self.root.stat()
                self._make_shop()
                lock = os.open(self._shop / "lock", os.O_RDWR | os.O_CREAT, 0o600)
                held = _lock(lock)
                if held is False:
                    os.close(lock)
                    raise TargetUnusable(f"another restore is working in {self.root}")
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(lock), (self._shop / "lock").stat()):
                        return lock, held is not None
                os.close(lock)  # The restore before us took its lock away just now …
            except OSError as error:
                # … or its workshop, or the folder, in which it had written nothing.
                if not isinstance(error, FileNotFoundError) or next(tries) > _TRIES:
                    raise TargetUnusable(f"cannot write into {self.root}: {said(error)}") from None

    def _make_shop(self) -> None:
        with suppress(FileExistsError):
            self._shop.mkdir()
        if not stat.S_ISDIR(self._shop.lstat().st_mode):
            raise TargetUnusable(f"{self._shop} is there, and is no folder")

    def _sweep(self, *, all_of_them: bool) -> None:
        """Remove what a killed restore left; without a lock, only what is old."""
        with suppress(OSError):
            os.utime(self._shop / "lock")
            now = (self._shop / "lock").stat().st_ctime
            for left in self._shop.glob("*.part"):
                # Not by st_mtime: that is the photo's own time before it gets its name.
                if all_of_them or now - left.lstat().st_ctime > _LEFT_OVER:
                    left.unlink(missing_ok=True)

    def _tidy_up(self, lock: int) -> None:
        if fcntl is None:
            os.close(lock)  # Windows removes nothing that is open.
        with suppress(OSError):
            for left in self._shop.glob(f"{self._token}-*.part"):
                left.unlink(missing_ok=True)  # Made by an answer that was lost.
            (self._shop / "lock").unlink(missing_ok=True)
            self._shop.rmdir()
        if fcntl is not None:
            with suppress(OSError):
                os.close(lock)

    def try_out(self) -> None:
        """Write a small file, and take it away. Raises OSError, TargetUnusable."""
        with self.part() as part, open(part, "r+b") as file:
            file.write(b"?")
            flush(file.fileno())

    # -- what is there ---------------------------------------------------------------------------

    def path(self, relative: str) -> Path:
        """Where a file of the plan lies."""
        return self.root.joinpath(*relative.split("/"))

    def look(self, relative: str) -> os.stat_result | None:
        """What lies there, None if nothing does. Raises Linked, Differs, OSError."""
        here = self.root
        *folders, name = relative.split("/")
        try:
            for folder in folders:
                here /= folder
                _check_folder(here, self.root)
            return (here / name).lstat()
        except FileNotFoundError:
            return None

    # -- new files -------------------------------------------------------------------------------

    def make_home(self, relative: str) -> None:
        """Make the folder of a file, and find out whether it may be written into: before anything
        is fetched for it. Raises Linked, Differs, OSError."""
        here = self.root
        for folder in relative.split("/")[:-1]:
            here /= folder
            try:
                _check_folder(here, self.root)
            except FileNotFoundError:
                self._check_root()
                with suppress(FileExistsError):
                    here.mkdir()
                _check_folder(here, self.root)
        if not os.access(here, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(here))

    @contextmanager
    def part(self) -> Iterator[Path]:
        """A new, empty file of our own; gone in the end. Raises OSError, TargetUnusable."""
        part = self._new()
        try:
            yield part
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _new(self) -> Path:
        while True:
            part = self._shop / f"{self._token}-{next(self._numbers)}.part"
            try:
                os.close(os.open(part, _NEW, 0o666))
                return part
            except FileExistsError:
                continue
            except FileNotFoundError:
                # Where there are no locks, another restore may have tidied up.
                self._check_root()
                self._make_shop()

    def place(self, part: Path, relative: str, seconds: float | None) -> None:
        """Give a finished file its name and time, if nothing has that name.

        Raises Differs, Linked, OSError.
        """
        self.make_home(relative)
        final = self.path(relative)
        if seconds is not None:
            # Some file systems have no time before 1970 or 1980; the photo matters more.
            with suppress(OSError, OverflowError):
                os.utime(part, (seconds, seconds))
        try:
            give_name(part, final)
        except FileExistsError:
            raise differs() from None
        for folder in (final.parent, *final.parent.parents):
            self._named.add(folder)
            if folder == self.root:
                break

    def put(self, relative: str, body: bytes) -> None:
        """A small file, unless the same is there. Raises Differs, Linked, OSError."""
        there = self.look(relative)
        if there is not None:
            if not stat.S_ISREG(there.st_mode) or self.path(relative).read_bytes() != body:
                raise differs()
            return
        with self.part() as part:
            with open(part, "r+b") as file:
                file.write(body)
                file.flush()
                flush(file.fileno())
            self.place(part, relative, None)

    def _check_root(self) -> None:
        """A disk that was taken away leaves an empty folder, of another disk, in its place."""
        try:
            there = self.root.stat()
        except OSError as error:
            raise TargetUnusable(f"{self.root} is gone: {said(error)}") from None
        if self._there is not None and not os.path.samestat(there, self._there):
            raise TargetUnusable(f"{self.root} is gone; is its disk still there?")


def differs() -> Differs:
    """What to say of a name that something else has."""
    return Differs("another file of that name is there; it was left as it is")


def longest_name(target: Path) -> int:
    """How many bytes a name can have where ``target`` is, or will be (143 in eCryptfs)."""
    with suppress(OSError, AttributeError):  # Windows has no statvfs.
        return min(_LONGEST, os.statvfs(_nearest(target)).f_namemax or _LONGEST)
    return _LONGEST


def free_bytes(target: Path) -> int:
    """Free space where ``target`` is, or will be. Raises TargetUnusable."""
    try:
        return shutil.disk_usage(_nearest(target)).free
    except OSError as error:
        raise TargetUnusable(f"cannot write into {target}: {said(error)}") from None


def target_at(text: str) -> Path:
    """The folder that a person calls ``text``. Raises BadRequest for what is none."""
    if not text.strip() or "\0" in text:
        raise BadRequest(f"TARGET is {text!r}, which names no folder")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise BadRequest(f"TARGET is {text!r}: nobody here has that home folder") from None


class Overlaps(BadRequest):
    """What is to be written would lie in the backup, or around it."""

    hint = "name a place outside the backup; nothing was written"


def refuse_overlap(location: str, target: Path) -> None:
    """Nothing of ours but a backup is written into the backup, nor around it, by whatever way that
    is reached: no restored photo, page, catalog, copy or letter.

    Raises BadRequest.
    """
    if location.startswith("s3://"):
        return
    try:
        store, into = Path(location).expanduser().resolve(), target.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise BadRequest(f"{target} cannot be followed: {error}") from None
    # By what they are: a bind mount, or other case on a Mac, gives one folder several paths.
    if _is_among(store, [into, *into.parents]) or _is_among(into, [*store.parents]):
        raise Overlaps(f"{target} and the backup {location} lie within each other")


def _is_among(one: Path, others: list[Path]) -> bool:
    for other in others:
        if one == other:
            return True
        with suppress(OSError):
            if os.path.samestat(one.stat(), other.stat()):
                return True
    return False


def _nearest(target: Path) -> Path:
    there = target.absolute()
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    return there


def _check_folder(path: Path, root: Path) -> None:
    """Raise Linked or Differs if ``path`` is no folder, FileNotFoundError if there is nothing."""
    mode = path.lstat().st_mode
    name = path.relative_to(root).as_posix()
    if stat.S_ISLNK(mode):
        raise Linked(f"{name} is a link; nothing is written through it")
    if not stat.S_ISDIR(mode):
        raise Differs(f"{name} is there, and is no folder; it was left as it is")


def _lock(descriptor: int) -> bool | None:
    """Whether we have the lock; None if there are no locks here."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def flush(descriptor: int) -> None:
    """Return when what was written is on the disk."""
    os.fsync(descriptor)


def _make_durable(folder: Path) -> None:
    with suppress(OSError):  # Windows cannot open a folder.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
