"""What is done with one item: make the thumbnail of one image.

An item names two files, such as {"source": "photos/a.png", "target": "thumbnails/a.png.jpg"}.
`python -m PACKAGE.gallery photos thumbnails` prints an item for each image of a folder.

The target is complete or not there: it is written under another name beside it, then renamed. A
target that is newer than its source stays, so a second run makes only what is missing.
"""

import contextlib
import os
import secrets
import warnings
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

OPEN_FILES = 2  # source and target of one task

SIZE = 256  # pixels of the longer side; smaller images are not enlarged
QUALITY = 85  # of the JPEG, from 0 to 95: above, files grow and look no better
BACKGROUND = "white"  # behind what is transparent, for JPEG knows no transparency
MAX_PIXELS = 64_000_000  # of a source, 4 bytes each in memory: a small file may claim any number
# What is read, whatever the name of a file: Pillow would run a program, Ghostscript, for an EPS.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
PROFILES = {"L": b"GRAY", "RGB": b"RGB "}  # mode of a thumbnail -> the colours of an ICC profile

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow itself refuses twice as many, and warns before
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # work() refuses where it warns


def work(item: dict[str, Any]) -> dict[str, Any]:
    """Make the target of one item, and return its name and size; `made` is false if it was there.

    Raises OSError for what cannot be read or written, ValueError for what is no image, is broken,
    or has more than MAX_PIXELS; both name the file.
    """
    source, target = item["source"], item["target"]
    if is_newer(target, source):
        return {"target": target, "made": False}
    thumbnail = shrink(source)
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    with replacing(target) as name:
        profile = thumbnail.info.get("icc_profile")
        thumbnail.save(name, "JPEG", quality=QUALITY, icc_profile=profile)
    return {"target": target, "made": True, "width": thumbnail.width, "height": thumbnail.height}


def is_newer(target: str, source: str) -> bool:
    """Is the target there, and not older than the source?"""
    changed = os.stat(source).st_mtime_ns
    try:
        return os.stat(target).st_mtime_ns >= changed
    except FileNotFoundError:
        return False


def shrink(source: str) -> Image.Image:
    """Return the image in its file, upright, flat, and at most SIZE pixels wide and high."""
    with open(source, "rb") as file:  # by its name, Pillow maps some TIFF with width for height
        try:
            with Image.open(file, formats=FORMATS) as image:
                size = image.width * image.height
                if size > MAX_PIXELS:
                    raise ValueError(f"{size:,} pixels are more than MAX_PIXELS")
                image.draft(None, (2 * SIZE, 2 * SIZE))  # a JPEG is not decoded larger than that
                # First: a conversion forgets the orientation, and a TIFF turns when it is decoded.
                ImageOps.exif_transpose(image, in_place=True)
                return flatten(reduce(image))
        except UnidentifiedImageError:
            raise ValueError(f"{source}: no image, or none of {', '.join(FORMATS)}") from None
        except Exception as error:  # a broken file can fail anywhere in its decoder
            raise ValueError(f"{source}: {error}") from error


def reduce(image: Image.Image) -> Image.Image:
    """Return the image, scaled down to at most SIZE pixels wide and high."""
    if image.mode in ("1", "P", "PA") or image.has_transparency_data:
        image = image.convert("RGBA")  # black and white, or numbers of colours, have no average
    image.thumbnail((SIZE, SIZE))
    return image


def flatten(image: Image.Image) -> Image.Image:
    """Return the image in a mode that JPEG knows: eight bits, grey or RGB, nothing transparent."""
    if image.mode in ("I", "F"):
        raise ValueError(f"mode {image.mode} does not tell what is black and what is white")
    if image.mode.startswith("I;16"):
        flat = image.point(lambda value: value / 256).convert("L")
    elif image.mode == "RGBA":
        flat = Image.new("RGB", image.size, BACKGROUND)
        flat.paste(image, mask=image.getchannel("A"))
    else:
        flat = image if image.mode in ("L", "RGB") else image.convert("RGB")
    profile = image.info.get("icc_profile", b"")  # without it, wide colours turn pale
    kept = profile[16:20] == PROFILES[flat.mode]  # another is of other colours
    flat.info = {"icc_profile": profile} if kept else {}  # nothing else, such as a comment
    return flat


@contextlib.contextmanager
def replacing(target: str) -> Iterator[str]:
    """Yield a name beside the target to write to; then that file takes its place, or is removed."""
    name = os.path.join(os.path.dirname(target), f".{secrets.token_hex(8)}.part")
    try:
        yield name
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
