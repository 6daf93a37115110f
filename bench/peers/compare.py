"""Quern and llama.cpp in turn on one file: load, prompt and decode speed, medians and the ratio.

    compare.py MODEL.gguf --quern build/release/quern --peer-python VENV/bin/python [--threads 2] [--runs 5] [--decode 64]

The peer's Python has the package llama-cpp-python, built for this machine. Both read about the same number of prompt tokens; Quern's are text
(`quern run --raw`), llama.cpp's random ids.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess

HERE = pathlib.Path(__file__).parent
UNITS = {"ms": 1e-3, "s": 1.0, "µs": 1e-6}


def seconds(duration: str) -> float:
    """Go's form: 1m2.5s, 25.1ms."""
    return sum(float(n) * (60 if unit == "m" else UNITS[unit]) for n, unit in re.findall(r"([\d.]+)(ms|µs|m|s)", duration))


def quern_speed(args, prompt: str) -> dict:
    command = [args.quern, "run", args.model, prompt, "--raw", "--ignore-eos", "--verbose", "--seed", "1", "--threads", str(args.threads), "-n", str(args.decode)]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    field = lambda name: re.search(rf"^{name}:\s+(\S+)", report, re.M).group(1)
    return {"load_s": seconds(field("load duration")), "prompt_tokens_per_s": float(field("prompt eval rate")), "decode_tokens_per_s": float(field("eval rate"))}


def peer_speed(args, prompt_tokens: int) -> dict:
    command = [args.peer_python, str(HERE / "llama_cpp_speed.py"), args.model, str(args.threads), str(prompt_tokens), str(args.decode)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--quern", required=True)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--decode", type=int, default=64)
    args = parser.parse_args()
    prompt = "The quick brown fox jumps over the lazy dog. " * 51  # 511 tokens with Qwen's vocabulary
    ours, theirs = [], []
    quern_speed(args, prompt)  # warms the file cache
    for _ in range(args.runs):
        ours.append(quern_speed(args, prompt))
        theirs.append(peer_speed(args, 512))
    print("| | Quern | llama.cpp | ratio of medians | ratio, pair by pair |")
    print("| --- | --- | --- | --- | --- |")
    for key in ours[0]:
        a, b = [run[key] for run in ours], [run[key] for run in theirs]
        pairs = sorted(x / y for x, y in zip(a, b))
        print(f"| {key} | {statistics.median(a):.2f} | {statistics.median(b):.2f} | {statistics.median(a) / statistics.median(b):.2f} | {pairs[0]:.2f} to {pairs[-1]:.2f} |")


if __name__ == "__main__":
    main()
