"""Edge profile: a second of sound waited for in part, and its spectrogram."""

import time

import numpy as np

SOUND = np.sin(np.arange(16_000) / 7).astype(np.float32)
WINDOW = np.hanning(400)


def work(number):
    time.sleep(0.010)  # the microphone
    frames = np.stack([SOUND[at : at + 400] * WINDOW for at in range(0, 15_600, 160)])
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    return float(np.log(power + 1e-6).mean()) + number


def items(folder):
    return list(range(200))
