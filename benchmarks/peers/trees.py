"""Folders of files and of images to work on, the same every time."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

LATER = 4_102_444_800  # seconds: the year 2100, so that no thumbnail is newer than its image


def files(folder: Path, count: int) -> list[object]:
    """Write `count` files: CSV, JSON, text, and bytes that are only hashed. Return the items."""
    generator = random.Random(1)
    rows = "".join(f"{n},name {n},{generator.random()}\n" for n in range(4000))
    record = json.dumps([{"n": n, "x": generator.random()} for n in range(3000)])
    text = "some words and others\n" * 10_000
    content = generator.randbytes(1 << 20)
    kinds = {
        "csv": rows.encode(),
        "json": record.encode(),
        "txt": text.encode(),
        "bin": content,
    }
    folder.mkdir()
    items: list[object] = []
    for number in range(count):
        suffix = list(kinds)[number % len(kinds)]
        path = folder / f"{number}.{suffix}"
        path.write_bytes(kinds[suffix])
        items.append(str(path))
    return items


def images(folder: Path, count: int) -> list[object]:
    """Write `count` photos of 5 megapixels, every fifth a PNG of 1. Return the items."""
    from PIL import Image

    bands = [Image.effect_noise((640, 480), spread).resize((2560, 1920)) for spread in (40, 60, 80)]
    photo = Image.merge("RGB", bands)
    drawing = photo.resize((1280, 960))
    folder.mkdir()
    items: list[object] = []
    for number in range(count):
        path = folder / (f"{number}.jpg" if number % 5 else f"{number}.png")
        (photo if number % 5 else drawing).save(path)
        os.utime(path, (LATER, LATER))
        target = folder / "thumbnails" / f"{path.name}.jpg"
        items.append({"source": str(path), "target": str(target)})
    return items
