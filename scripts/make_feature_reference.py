#!/usr/bin/env python3
"""Reference values for src/data/features.cpp: the definitions of tf.signal as MLPerf Tiny's keyword training uses them,
in double precision, with the Fourier sum written out. Shares nothing with the C code but the made-up clip.

    scripts/make_feature_reference.py            # writes tests/data/features_reference.txt
    scripts/make_feature_reference.py --check    # only compares
"""
import math
import pathlib
import sys

FILE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "features_reference.txt"
EPSILON = 1e-6

# name, sample rate, kind, window and stride in ms, bands, coefficients, low and high in Hz, centered, level
SETTINGS = (
    ("mlperf_tiny", 16000, "mfcc", 30, 20, 40, 10, 20, 4000, False, "peak"),
    ("log_mel_40x101", 16000, "log_mel", 25, 10, 40, 0, 20, 8000, True, "full_scale"),
    ("mfcc_8khz", 8000, "mfcc", 16, 16, 20, 13, 60, 3800, False, "peak"),
    ("long_window", 16000, "log_mel", 64, 50, 64, 0, 0, 7600, True, "peak"),
)


def clip(samples):
    """A swept triangle under a triangular envelope, with an offset and noise: whole numbers only."""
    out, state, phase = [], 1, 0
    for n in range(samples):
        state = (state * 1103515245 + 12345) % 2**31
        phase = (phase + 300 + n // 4) % 65536
        wave = abs(phase - 32768) * min(n, samples - n) // (samples // 2)
        out.append(wave - 9000 + (state >> 16) % 1001)
    return out


def mel(hz):
    return 1127.0 * math.log(1.0 + hz / 700.0)


def frame_bands(frame, fft, rate, bands, low, high):
    lines = fft // 2 + 1
    window = [x * (0.5 - 0.5 * math.cos(2 * math.pi * i / len(frame))) for i, x in enumerate(frame)]
    cosine = [math.cos(2 * math.pi * i / fft) for i in range(fft)]
    sine = [math.sin(2 * math.pi * i / fft) for i in range(fft)]
    magnitude = []
    for k in range(lines):
        re = sum(x * cosine[i * k % fft] for i, x in enumerate(window))
        im = sum(x * sine[i * k % fft] for i, x in enumerate(window))
        magnitude.append(math.hypot(re, im))
    edges = [mel(low) + i * (mel(high) - mel(low)) / (bands + 1) for i in range(bands + 2)]
    out = []
    for left, center, right in zip(edges, edges[1:], edges[2:]):
        total = 0.0
        for k in range(1, lines):  # line 0 is left out
            at = mel(k * rate / fft)
            total += max(0.0, min((at - left) / (center - left), (right - at) / (right - center))) * magnitude[k]
        out.append(math.log(total + EPSILON))
    return out


def dct(values, coefficients):
    n = len(values)
    return [
        math.sqrt(2 / n) * sum(x * math.cos(math.pi * c * (2 * i + 1) / (2 * n)) for i, x in enumerate(values))
        for c in range(coefficients)
    ]


def reference():
    lines = []
    for name, rate, kind, window_ms, stride_ms, bands, coefficients, low, high, centered, level in SETTINGS:
        samples = clip(rate)
        scale = max(samples) if level == "peak" else 32768
        wave = [x / scale for x in samples]
        window, stride = rate * window_ms // 1000, rate * stride_ms // 1000
        if centered:
            wave = [0.0] * (window // 2) + wave + [0.0] * window
        frames = 1 + (rate if centered else rate - window) // stride
        fft = 1
        while fft < window:
            fft *= 2
        lines.append(f"settings {name} {rate} {kind} {window_ms} {stride_ms} {bands} {max(1, coefficients)} {low} {high} "
                     f"{int(centered)} {level} {frames}")
        for frame in (0, 1, frames // 3, frames // 2, frames - 1):
            values = frame_bands(wave[frame * stride : frame * stride + window], fft, rate, bands, low, high)
            values = dct(values, coefficients) if kind == "mfcc" else values
            for value in sorted({0, 1, len(values) // 2, len(values) - 1}):
                lines.append(f"{frame} {value} {values[value]:.9f}")
    return "\n".join(lines) + "\n"


def main():
    text = reference()
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if FILE.read_text() == text else f"{FILE}: differs from what this script makes")
    FILE.write_text(text)


if __name__ == "__main__":
    main()
