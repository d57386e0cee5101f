"""How a finished file gets its name: it is there whole or not at all, and replaces nothing.

==========  ===============================================  ====================================
way         the disk                                         how
==========  ===============================================  ====================================
LINK        has hard links (ext4, XFS, APFS, NTFS, NFS)      link; the name on the way in goes
RENAME      renames without replacing (FAT of Linux; every   renameat2, renameatx_np, MoveFileExW
            disk on Windows)
ALONE       has neither (exFAT by FUSE; SMB from macOS)      the one process that may write looks
                                                             whether the name is free, and renames
==========  ===============================================  ====================================

Where there is but one writer, to create the name itself (O_EXCL) and fill it would be exclusive,
too; but a kill would leave half a file under it. A rename is seen whole or not at all.
"""

import errno
import os
import threading
from enum import Enum
from typing import Any

from smugmug_backup import system
from smugmug_backup.storage.folder_tree import Folder


class Naming(Enum):
    """What the disk was found to have."""

    LINK = "hard links"
    RENAME = "a rename that does not replace"
    ALONE = "neither"


def give_name(
    way: Naming, incoming: Folder, part: str, folder: Folder, name: str, turn: threading.Lock
) -> None:
    """Let the file ``part`` be found as ``name`` in ``folder``; by a link it stays ``part``, too.

    ``turn``: one thread at a time, where only looking tells that a name is free. Raises
    FileExistsError if something has that name, and OSError.
    """
    old: Any = part
    new: Any = name
    between: dict[str, Any] = {}
    if incoming.descriptor is None:
        old, new = incoming.path / part, folder.path / name
    else:
        between = {"src_dir_fd": incoming.descriptor, "dst_dir_fd": folder.descriptor}
    if way is Naming.LINK:
        try:
            os.link(old, new, **between)
        except FileExistsError:
            # NFS asks again when an answer was lost, and meets what it did itself (link(2), BUGS).
            ours, there = incoming.look(part), folder.look(name)
            if ours is None or there is None or not os.path.samestat(ours, there):
                raise
    elif way is Naming.RENAME:
        if not system.renamed(old, new, incoming.descriptor, folder.descriptor):
            raise OSError(errno.ENOTSUP, "the disk does not rename without replacing any more")
    else:
        with turn:
            if folder.look(name) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
            os.rename(old, new, **between)  # noqa: PTH104 - between open folders
