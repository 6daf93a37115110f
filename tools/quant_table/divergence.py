"""Quantizes quern-mini with Quern and with llama.cpp and prints, as a Markdown table, how far each file is from the original: the
Kullback-Leibler divergence in nats a token, measured by `quern perplexity` for both.

    divergence.py MODEL CALIBRATION TEXT [MIX ...]      needs the packages llama-cpp-python and gguf, and a build of Quern

`conversations.py COUNT SEED` writes such texts. Mixes that llama.cpp refuses without an importance matrix have none in the first columns.
"""

import argparse
import ctypes
import os
import pathlib
import re
import subprocess
import tempfile

import gguf
import llama_cpp
import numpy as np

QUERN = pathlib.Path(os.environ.get("QN_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build" / "release")) / "quern"
MIXES = {"Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q5_K_S": 16, "Q5_1": 9, "Q5_0": 8, "Q4_K_M": 15, "Q4_K_S": 14, "Q4_1": 3, "Q4_0": 2, "IQ4_NL": 25,
         "IQ4_XS": 30, "Q3_K_L": 13, "Q3_K_M": 12, "Q3_K_S": 11, "IQ3_M": 27, "IQ3_S": 26, "IQ3_XS": 22, "IQ3_XXS": 23, "Q2_K": 10, "Q2_K_S": 21,
         "IQ2_M": 29, "IQ2_S": 28, "IQ2_XS": 20, "IQ2_XXS": 19, "IQ1_M": 31, "IQ1_S": 24, "TQ2_0": 37, "TQ1_0": 36}
WINDOW = ["-c", "256", "--parse-special"]


@llama_cpp.llama_log_callback
def silence(level, text, data):
    pass


def quern(*args):
    return subprocess.run([QUERN, *map(str, args)], capture_output=True, text=True)


def read_matrix(path):
    tensors = {t.name: t.data.reshape(-1) for t in gguf.GGUFReader(path).tensors}
    ending = ".in_sum2"
    return [(name[: -len(ending)].encode(), np.ascontiguousarray(sums / tensors[name[: -len(ending)] + ".counts"][0], np.float32))
            for name, sums in tensors.items() if name.endswith(ending)]


def llama_quantize(source, target, mix, matrix):
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.nthread = MIXES[mix], 2
    if matrix:
        rows = (llama_cpp.llama_model_imatrix_data * (len(matrix) + 1))()
        for row, (name, means) in zip(rows, matrix):
            row.name, row.data, row.size = name, means.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), means.size
        params.imatrix = ctypes.cast(rows, ctypes.POINTER(llama_cpp.llama_model_imatrix_data))
    return llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) == 0


def divergence(model, base):
    done = quern("perplexity", model, "--kl-divergence", "--kl-divergence-base", base)
    found = re.search(r"Mean    KLD +: +([\d.]+)", done.stdout)
    return float(found[1]) if found else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("calibration")
    parser.add_argument("text")
    parser.add_argument("mixes", nargs="*")
    args = parser.parse_args()
    llama_cpp.llama_log_set(silence, ctypes.c_void_p(0))
    print("| mix | bytes | Quern | llama.cpp | ratio | Quern, weighed | llama.cpp, weighed | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source, base, importance, out = (folder / name for name in ("f16.gguf", "base", "imatrix.gguf", "out.gguf"))
        assert quern("quantize", args.model, source, "f16").returncode == 0
        assert quern("imatrix", source, "-f", args.calibration, "-o", importance, *WINDOW).returncode == 0
        assert quern("perplexity", source, "-f", args.text, "--kl-divergence-base", base, *WINDOW).returncode == 0
        matrix = read_matrix(importance)
        for mix in args.mixes or MIXES:
            cells, size = [], ""
            for weighed in (False, True):
                ours = theirs = None
                if quern("quantize", source, out, mix, *(["--imatrix", importance] if weighed else [])).returncode == 0:
                    ours, size = divergence(out, base), f"{out.stat().st_size:,}"
                if llama_quantize(source, out, mix, matrix if weighed else None):
                    theirs = divergence(out, base)
                cells += [f"{x:.6f}" if x is not None else "–" for x in (ours, theirs)]
                cells.append(f"{ours / theirs:.2f}" if ours is not None and theirs else "–")
            print(f"| {mix} | {size} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
