"""Which file it was, and as it was: path, size, times of change and inode, as one digest.

A file that still is what it was need not be read whole to know its content. The digest tells nobody the path.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

SETTLED_SECONDS = 2.0
"""A file that changed less than this ago may change again within the resolution of its file system's clock."""


def place_of(path: Path) -> str:
    """Of a regular file that has settled; empty for any other."""
    try:
        status = path.stat()
    except OSError:
        return ""
    if time.time() - status.st_mtime < SETTLED_SECONDS:
        return ""
    text = "|".join(map(str, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)))
    return hashlib.sha256(os.fsencode(path.absolute()) + b"|" + text.encode(), usedforsecurity=False).hexdigest()[:40]
