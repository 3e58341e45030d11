#!/usr/bin/env python3
"""Makes a small folder of data to try the tutorials on, where there are none of one's own yet.

    python3 scripts/example_data.py pictures digits_as_pictures    # 4 classes, 150 PNG files each, from the bundled digits
    python3 scripts/example_data.py table digits_as_table          # the same pictures in one folder, and a table of their labels
    python3 scripts/example_data.py sounds whistles                # 4 classes, 60 WAV files each, computed
"""
import argparse
import csv
import gzip
import math
import pathlib
import random
import struct
import sys
import wave
import zlib

DIGITS = pathlib.Path(__file__).resolve().parent.parent / "datasets/digits"
NAMES = ["zero", "one", "two", "three"]
PICTURES, SOUNDS = 150, 60  # of a class
RATE = 8000  # samples of a clip, which lasts a second


def png(height, width, grey):
    """A grey picture of one byte per pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + grey[y * width : (y + 1) * width] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def digits():
    """Pictures of the first classes, in the order of the file: (class, bytes)."""
    images = gzip.decompress((DIGITS / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((DIGITS / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    height, width = struct.unpack(">II", images[8:16])
    taken = [0] * len(NAMES)
    for i, label in enumerate(labels):
        if label >= len(NAMES) or taken[label] == PICTURES:
            continue
        taken[label] += 1
        at = 16 + i * height * width
        yield label, png(height, width, images[at : at + height * width])


def make_pictures(folder):
    for number, (label, data) in enumerate(digits()):
        place = folder / NAMES[label]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:04}.png").write_bytes(data)


def make_table(folder):
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    with open(folder / "labels.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label"])
        for number, (label, data) in enumerate(digits()):
            name = f"pictures/{number:04}.png"
            (folder / name).write_bytes(data)
            rows.writerow([name, NAMES[label]])


def whistle(kind, draw, hiss):
    """A second of sound: a pitch that rises, falls or stays, or nothing but `hiss`."""
    low, high = draw.uniform(400, 700), draw.uniform(1200, 2000)
    begin, end = {"rising": (low, high), "falling": (high, low), "level": (low, low), "silent": (0, 0)}[kind]
    start, length = draw.randrange(RATE // 4), draw.randrange(RATE // 2, RATE * 3 // 4)
    volume, noise, first = draw.uniform(3000, 9000), draw.uniform(100, 900), draw.randrange(len(hiss) - RATE)
    samples = [noise * value for value in hiss[first : first + RATE]]
    phase = 0.0
    for t in range(length if begin else 0):
        phase += 2 * math.pi * (begin + (end - begin) * t / length) / RATE
        samples[start + t] += volume * math.sin(phase) * math.sin(math.pi * t / length)
    samples = [max(-32768, min(32767, round(value))) for value in samples]
    return struct.pack(f"<{RATE}h", *samples)


def make_sounds(folder):
    draw = random.Random(1)
    hiss = [draw.gauss(0, 1) for _ in range(4 * RATE)]
    for kind in ["rising", "falling", "level", "silent"]:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(SOUNDS):
            with wave.open(str(folder / kind / f"{number:03}.wav"), "wb") as file:
                file.setparams((1, 2, RATE, RATE, "NONE", ""))
                file.writeframes(whistle(kind, draw, hiss))


MAKERS = {"pictures": make_pictures, "table": make_table, "sounds": make_sounds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=MAKERS)
    parser.add_argument("folder", type=pathlib.Path, help="is made; expected not to be there")
    options = parser.parse_args()
    if options.folder.exists():
        sys.exit(f"{options.folder}: is there already; expected the name of a new folder")
    MAKERS[options.kind](options.folder)
    print(f"{options.folder}: {sum(1 for path in options.folder.rglob('*') if path.is_file())} files")


main()
