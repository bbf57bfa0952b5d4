"""Which thumbnails to make: `python -m PACKAGE.gallery SOURCE TARGET` prints one item for each.

The folders under TARGET are those under SOURCE, and a thumbnail has the whole name of its image, so
that a.png and a.jpg do not get the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from .walk import OnError, find, show

# What Pillow reads without a plugin, of what is usual; HEIC takes the package pillow-heif.
SUFFIXES = frozenset(
    (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)


def pairs(source: str, target: str, on_error: OnError) -> Iterator[dict[str, str]]:
    """Yield source and target for each image below the folder `source`, in the same order always.

    The folder `target` may be one of those below: what it holds is left out.
    """
    own = os.path.join(os.path.abspath(target), "")
    for path in find(source, on_error):
        is_image = os.path.splitext(path)[1].lower() in SUFFIXES
        if is_image and not os.path.abspath(path).startswith(own):
            name = os.path.relpath(path, source)
            yield {"source": path, "target": os.path.join(target, f"{name}.jpg")}


def main() -> int:
    """Print an item for each image of a folder."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}.gallery", description="print one item for each image"
    )
    parser.add_argument("source", help="the folder with the images, and others below it")
    parser.add_argument("target", help="the folder for the thumbnails; it is made when needed")
    args = parser.parse_args()
    if not os.path.isdir(args.source):
        parser.error(f"{args.source} is not a folder")
    return show(lambda report: pairs(args.source, args.target, report))


if __name__ == "__main__":
    sys.exit(main())
