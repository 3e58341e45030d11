#!/usr/bin/env python3
"""Makes the bundled set datasets/digits from MNIST: for each digit the first 800 training and the first 200 test
images, kept in official order. Gzip without name and time, level 9, so the files come out the same each time (a zlib
that compresses otherwise gives other files of the same content: compare the unpacked checksums).

    scripts/make_digits.py                 # from $CONDENSER_DATA/mnist_subset (default ../shared/data)
    scripts/make_digits.py --source DIR    # any folder with MNIST's four .gz files
    scripts/make_digits.py --check         # writes nothing, compares with the files that are there
"""
import argparse
import gzip
import hashlib
import io
import os
import pathlib
import struct
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
DATA = os.environ.get("CONDENSER_DATA") or REPOSITORY.parent / "shared" / "data"
PARTS = (("train", 800), ("t10k", 200))
SIDE, CLASSES = 28, 10


def read_images(path):
    data = gzip.open(path).read()
    magic, count, height, width = struct.unpack(">4I", data[:16])
    assert (magic, height, width) == (2051, SIDE, SIDE) and len(data) == 16 + count * SIDE * SIDE, path
    return [data[16 + i * SIDE * SIDE : 16 + (i + 1) * SIDE * SIDE] for i in range(count)]


def read_labels(path):
    data = gzip.open(path).read()
    magic, count = struct.unpack(">2I", data[:8])
    assert magic == 2049 and len(data) == 8 + count, path
    return data[8:]


def first_of_each(labels, per_class):
    seen, kept = [0] * CLASSES, []
    for index, label in enumerate(labels):
        if seen[label] < per_class:
            seen[label] += 1
            kept.append(index)
    assert seen == [per_class] * CLASSES, f"too few images: {seen}"
    return kept


def compress(data):
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as stream:
        stream.write(data)
    return out.getvalue()


def make(source):
    for part, per_class in PARTS:
        images = read_images(source / f"{part}-images-idx3-ubyte.gz")
        labels = read_labels(source / f"{part}-labels-idx1-ubyte.gz")
        assert len(images) == len(labels), part
        kept = first_of_each(labels, per_class)
        yield f"{part}-images-idx3-ubyte.gz", struct.pack(">4I", 2051, len(kept), SIDE, SIDE) + b"".join(
            images[i] for i in kept
        )
        yield f"{part}-labels-idx1-ubyte.gz", struct.pack(">2I", 2049, len(kept)) + bytes(labels[i] for i in kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, default=pathlib.Path(DATA) / "mnist_subset")
    parser.add_argument("--out", type=pathlib.Path, default=REPOSITORY / "datasets" / "digits")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    same = True
    for name, content in make(arguments.source):
        packed, path = compress(content), arguments.out / name
        if arguments.check:
            same = same and gzip.open(path).read() == content
        else:
            path.write_bytes(packed)
        print(f"{hashlib.sha256(packed).hexdigest()}  {name} ({len(packed):,} bytes)")
        print(f"{hashlib.sha256(content).hexdigest()}  {name[:-3]} ({len(content):,} bytes, unpacked)")
    if not same:
        sys.exit("the files in " + str(arguments.out) + " have other content")


if __name__ == "__main__":
    main()
