"""Files of `.concgen/`, read without trust: they may come from somebody else's repository."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path

# What zipfile raises for a damaged file.
_DAMAGES = (
    zipfile.BadZipFile,
    EOFError,
    IndexError,
    OverflowError,
    RuntimeError,  # encrypted, or of a later version
    ValueError,
    struct.error,
)


def read_file(path: Path) -> bytes:
    """Return what the file at `path` holds. Raises ValueError for a device, a pipe, a directory."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")  # reading it might never end
    return path.read_bytes()


def unpack(path: Path) -> dict[str, bytes]:
    """Return the contents of a zip by name. Raises ValueError if concgen did not write it.

    Concgen compresses nothing, so a zip that unpacks to more than its own size is not its own.
    """
    data = read_file(path)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ValueError("it is compressed")
            if sum(entry.file_size for entry in entries) > len(data):
                raise ValueError("it unpacks to more than it holds")
            return {entry.filename: archive.read(entry) for entry in entries}
    except _DAMAGES as error:
        raise ValueError(str(error) or type(error).__name__) from error
