"""How long Quern and llama.cpp take to quantize one file: runs in turn, medians, as a Markdown table.

    quantize_speed.py F16.gguf [MIX ...] [--threads 2] [--rounds 5]       needs the package llama-cpp-python, and a build of Quern

Wall time and processor time (user and system) of the call alone: llama.cpp's without starting Python, Quern's with starting the program and
syncing the file, which llama.cpp leaves to the operating system.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
QUERN = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release")) / "quern"
MIXES = {"BF16": 32, "Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q4_K_M": 15, "Q4_0": 2, "IQ4_XS": 30, "Q3_K_M": 12, "Q2_K": 10}

PEER = """
import ctypes, resource, sys, time, llama_cpp
@llama_cpp.llama_log_callback
def silence(level, text, data): pass
llama_cpp.llama_log_set(silence, ctypes.c_void_p(0))
params = llama_cpp.llama_model_quantize_default_params()
params.ftype, params.nthread = int(sys.argv[3]), int(sys.argv[4])
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
began, before = time.perf_counter(), cpu()
assert llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(params)) == 0
print(time.perf_counter() - began, cpu() - before)
"""


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_quern(source, out, mix, threads):
    began, before = time.perf_counter(), children_cpu()
    subprocess.run([QUERN, "quantize", source, out, mix, str(threads)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, children_cpu() - before


def run_peer(source, out, mix, threads):
    done = subprocess.run([sys.executable, "-c", PEER, source, out, str(MIXES[mix]), str(threads)], check=True, capture_output=True, text=True)
    return tuple(map(float, done.stdout.split()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("mixes", nargs="*")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    megabytes = pathlib.Path(args.file).stat().st_size / 1e6
    print(f"{megabytes:,.0f} MB of F16, {args.threads} threads, medians of {args.rounds}\n")
    print("| mix | Quern, MB/s | llama.cpp, MB/s | ratio | Quern, CPU s | llama.cpp, CPU s | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=pathlib.Path(args.file).parent) as folder:
        out = f"{folder}/out.gguf"
        for mix in args.mixes or MIXES:
            ours, theirs = [], []
            for _ in range(args.rounds):
                ours.append(run_quern(args.file, out, mix, args.threads))
                theirs.append(run_peer(args.file, out, mix, args.threads))
            wall, cpu = (statistics.median(run[i] for run in ours) for i in (0, 1))
            peer_wall, peer_cpu = (statistics.median(run[i] for run in theirs) for i in (0, 1))
            print(f"| {mix} | {megabytes / wall:.0f} | {megabytes / peer_wall:.0f} | {peer_wall / wall:.1f} | {cpu:.2f} | {peer_cpu:.2f} | "
                  f"{peer_cpu / cpu:.1f} |", flush=True)


if __name__ == "__main__":
    main()
