"""Pillow: a photograph made small."""

import io
from pathlib import Path

from PIL import Image


def work(path):
    with Image.open(path) as photo:
        small = photo.convert("RGB").resize((320, 240), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    small.save(data, "JPEG", quality=85)
    return len(data.getvalue())


def items(folder):
    paths = [str(Path(folder) / f"{n}.jpg") for n in range(10)]
    for n, path in enumerate(paths):
        ramp = Image.linear_gradient("L").resize((1200, 900)).rotate(n * 9)
        noise = Image.effect_noise((1200, 900), 30)
        Image.merge("RGB", (ramp, noise, ramp)).save(path, quality=90)
    return paths * 12
