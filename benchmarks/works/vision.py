"""Edge profile: a frame of a camera waited for, made smaller and normalised."""

import time

import numpy as np
from PIL import Image

FRAME = Image.effect_noise((640, 480), 60).convert("RGB")


def work(number):
    time.sleep(0.005)  # the camera
    pixels = np.asarray(FRAME.resize((224, 224), Image.Resampling.BILINEAR), dtype=np.float32)
    normal = (pixels / 255 - 0.45) / 0.225
    return float(normal.mean()) + number


def items(folder):
    return list(range(200))
