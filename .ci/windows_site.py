"""sitecustomize under wine, which shows files of the Linux below it: Windows has none of them."""

import builtins
import io
import os


def _hide(function):
    def guarded(path=".", *arguments, **options):
        if isinstance(path, (str, bytes, os.PathLike)):
            place = os.fsdecode(path).replace("\\", "/")
            if place.startswith(("/proc", "/sys", "/dev/")):
                raise FileNotFoundError(2, "No such file or directory", place)
        return function(path, *arguments, **options)

    return guarded


os.open, os.listdir = _hide(os.open), _hide(os.listdir)
io.open = builtins.open = _hide(io.open)
