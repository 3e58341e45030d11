#!/usr/bin/env python3
"""Writes tests/fuzz/corpus: small valid files that the fuzz targets start from. Needs cjpeg (libjpeg-turbo-progs).

Those of onnx are models of tests/importers/models.py, those of tflite of tests/importers/tflite_models.py."""
import gzip
import json
import pathlib
import struct
import subprocess
import zlib

HERE = pathlib.Path(__file__).parent
CORPUS = HERE / "corpus"


def write(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def jpeg(width, height, colour, *options):
    pixels = bytes((x * 7 + y * 11 + k * 60) % 256 for y in range(height) for x in range(width) for k in range(3 if colour else 1))
    header = f"{'P6' if colour else 'P5'} {width} {height} 255\n".encode()
    return subprocess.run(["cjpeg", *options], input=header + pixels, capture_output=True, check=True).stdout


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, channels, interlace=0, extra=b""):
    row = bytes((i * 13) % 256 for i in range((width * channels * depth + 7) // 8))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress((b"\0" + row) * height * (1 + interlace))) +
            chunk(b"IEND", b""))


def exif(orientation):
    return b"II" + struct.pack("<HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def turned(jpeg_file, orientation):
    segment = b"Exif\0\0" + exif(orientation)
    return jpeg_file[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg_file[2:]


def idx(extents, data):
    return struct.pack(">HBB", 0, 8, len(extents)) + b"".join(struct.pack(">I", n) for n in extents) + data


def idx_pair(images, labels):
    return struct.pack("<H", len(images)) + images + labels


def safetensors(header, data):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


for name, data in {
    "grey": jpeg(17, 9, False), "colour": jpeg(20, 24, True), "halved": jpeg(33, 17, True, "-sample", "2x2"),
    "progressive": jpeg(24, 16, True, "-progressive"), "restart": jpeg(24, 24, True, "-restart", "1B"),
    "arithmetic": jpeg(16, 16, True, "-arithmetic"), "turned": turned(jpeg(17, 9, False), 6),
}.items():
    for choice in (0x01, 0x00, 0x27):
        write("jpeg", f"{name}_{choice:02x}", bytes([choice]) + data)

for name, data in {
    "grey": png(5, 4, 8, 0, 1), "grey1": png(9, 3, 1, 0, 1), "grey16": png(4, 3, 16, 0, 1), "colour": png(5, 4, 8, 2, 3),
    "alpha": png(4, 4, 8, 6, 4), "palette": png(4, 4, 4, 3, 1, extra=chunk(b"PLTE", bytes(range(48)))),
    "interlaced": png(8, 8, 8, 0, 1, interlace=1), "gamma": png(3, 3, 8, 2, 3, extra=chunk(b"gAMA", struct.pack(">I", 45455))),
    "turned": png(5, 4, 8, 0, 1, extra=chunk(b"eXIf", exif(8))),
}.items():
    for choice in (0x01, 0x00, 0x27):
        write("png", f"{name}_{choice:02x}", bytes([choice]) + data)

images, labels = idx([2, 2, 3], bytes(range(12))), idx([2], bytes([0, 1]))
write("idx", "plain", idx_pair(images, labels))
write("idx", "packed", idx_pair(gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0)))
write("idx", "empty", idx_pair(idx([0, 2, 3], b""), idx([0], b"")))

write("cifar", "ten", b"\0" + bytes([1]) + b"RrGgBb" + bytes([2]) + b"QqFfAa")
write("cifar", "hundred_fine", b"\1" + bytes([9, 1]) + b"RrGgBb")
write("cifar", "hundred_coarse", b"\3" + bytes([2, 99]) + b"RrGgBb")

write("csv", "plain", b"\0path,label\na.png,cat\nb.png,dog\n")
write("csv", "quoted", b'\0label,note,path\r\n"cat","a, ""b""","x\ny.png"\r\ndog,,b.png\r\n')
write("csv", "several", b"\1path,label\na.png,cat;dog\nb.png,\nc.png, bird ;\n")

for name in ("digits", "cifar100", "neu_surface_defects", "vww"):
    write("card", name, (HERE.parent.parent / "datasets" / name / "card.yaml").read_bytes())
write("card", "quoted", b'condenser_card: 1\nname: "a \\u00e9"\nformat: csv\nmulti_label: true\nshape: [1, 2, 3]\nsplits: {train: [{path: a.csv}]}\n')

write("safetensors", "float", safetensors({"a.weight": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}}, struct.pack("<2f", 1, -2)))
write("safetensors", "two", safetensors({"__metadata__": {"spec_hash": "00"}, "a.weight": {"dtype": "I8", "shape": [3], "data_offsets": [0, 3]},
                                         "a.bias": {"dtype": "I32", "shape": [1], "data_offsets": [3, 7]}}, bytes(7)))
write("safetensors", "empty", safetensors({}, b""))

write("spec", "primitives", json.dumps({"condenser_spec": 1, "name": "p", "input": [2, 6, 6], "nodes": [
    {"name": "a", "op": "conv2d", "out": 4, "kernel": 3, "groups": 2, "bias": True}, {"name": "b", "op": "softmax"},
    {"name": "c", "op": "mul", "inputs": ["a", "b"]}, {"name": "d", "op": "max_pool", "kernel": 2, "stride": 2},
    {"name": "e", "op": "global_avg_pool"}, {"name": "f", "op": "linear", "out": 3}]}).encode())
for source in ("experiments/own_network/my_net.yaml",):
    write("spec", pathlib.Path(source).name, (HERE.parent.parent / source).read_bytes())
