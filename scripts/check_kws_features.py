#!/usr/bin/env python3
"""The features of src/data against a network that was trained on somebody else's: MLPerf Tiny's published keyword models,
run by TensorFlow Lite on our MFCC of speech_commands_subset, and on the published features of kws01.

    cmake --build --preset release --target dump_items
    pip install ai-edge-litert numpy                      # in an environment of its own
    scripts/check_kws_features.py build/release/tests/data/dump_items

Expected (published: 90.1 % for kws01; 91.0 % and 87.5 % with features of MLPerf Tiny's training code):

    kws_ref_model.tflite          all 1080 clips 91.02 %   240 test clips 87.50 %   kws01 90.20 %
    kws_ref_model_float32.tflite  all 1080 clips 90.56 %   240 test clips 87.50 %   kws01 90.00 %
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("CONDENSER_DATA") or REPOSITORY.parent / "shared" / "data")
ELEMENTS = 49 * 10


def items(dump_items, card, split):
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([dump_items, str(REPOSITORY / "datasets" / card), split, file.name], check=True)
        raw = np.fromfile(file.name, dtype=np.int32).reshape(-1, 1 + ELEMENTS)
    return raw[:, 1:].copy().view(np.float32).reshape(-1, 1, 49, 10, 1), raw[:, 0]


def correct(model, values, labels):
    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if source["dtype"] == np.int8:
        scale, zero_point = source["quantization"]
        values = np.clip(np.round(values / scale) + zero_point, -128, 127).astype(np.int8)
    hits = 0
    for value, label in zip(values, labels):
        interpreter.set_tensor(source["index"], value)
        interpreter.invoke()
        hits += int(interpreter.get_tensor(result["index"])[0].argmax() == label)
    return hits


def main():
    dump_items = sys.argv[1]
    parts = {split: items(dump_items, "speech_commands_subset", split) for split in ("train", "validation", "test")}
    kws01 = items(dump_items, "kws01", "test")
    for name in ("kws_ref_model.tflite", "kws_ref_model_float32.tflite"):
        model = DATA / "mlperf_tiny" / "models" / name
        hits = {split: correct(model, *part) for split, part in parts.items()}
        counts = {split: len(part[1]) for split, part in parts.items()}
        total = sum(counts.values())
        print(f"{name:<29} all {total} clips {100 * sum(hits.values()) / total:.2f} %   {counts['test']} test clips "
              f"{100 * hits['test'] / counts['test']:.2f} %   kws01 {100 * correct(model, *kws01) / len(kws01[1]):.2f} %")


if __name__ == "__main__":
    main()
