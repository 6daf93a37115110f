"""bench/peers/run: Quern and a peer in turn. The peer is a script that answers as llama-bench does."""

import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

PEER = """#!/bin/sh
if [ "$1" = --help ]; then echo "  -d, --n-depth <n>"; exit 0; fi
echo "$@" >> "$(dirname "$0")/calls"
echo '[{"avg_ts": 50.0}]'
"""


def run_peers(quern, *args):
    folder = quern.home / "fake.cpp" / "build" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    peer = folder / "llama-bench"
    peer.write_text(PEER)
    peer.chmod(0o755)
    command = [sys.executable, str(REPOSITORY / "bench" / "peers" / "run"), "--quern", str(quern.program), "--no-llama-cpp", "--llama-bench", str(peer),
               "--models", str(quern.home / "models"), "--threads", "1", "--stream", "16M", *args]
    return subprocess.run(command, env=quern.env, cwd=quern.home, capture_output=True, text=True, timeout=120)


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_table_of_ratios_comes_out_and_turns_alternate(quern):
    done = run_peers(quern, "--shape", "qwen2-tiny", "--types", "Q8_0,Q4_K_M", "--only", "prompt,decode,depth,sequences", "--pairs", "2",
                     "--prompt", "32", "--decode", "8", "--depth", "64", "--sequences", "4")
    assert done.returncode == 0, done.stderr
    table = [cells(line) for line in done.stdout.splitlines() if line.startswith("|")]
    assert table[0][:2] == ["model", "test"] and table[0][5] == "fake.cpp"
    rows = table[2:]
    assert [row[1] for row in rows[:5]] == ["prompt 32", "decode", "decode at 64, f16", "decode at 64, q8_0", "4 sequences"]
    assert len(rows) == 10 and rows[5][0] == "qwen2-tiny Q4_K_M"
    ours = float(rows[0][2].split()[0])
    assert rows[0][5] == "50.0" and abs(float(rows[0][7].split("**")[1]) - ours / 50) < 0.02
    assert rows[4][5] == "–"  # llama-bench cannot decode several sequences
    calls = (quern.home / "fake.cpp/build/bin/calls").read_text().splitlines()
    assert len(calls) == 2 * 4 * 2
    assert "-d 64" in calls[4] and "-ctk q8_0 -ctv q8_0 -d 64 -fa 1" in calls[6]


def test_a_model_that_cannot_be_read_is_said_and_the_rest_goes_on(quern):
    done = run_peers(quern, "--model", "missing.gguf", "--only", "decode", "--pairs", "1")
    assert done.returncode == 0
    assert "missing.gguf" in done.stderr
