"""Damaged and hostile model files on the command line: one clear line, exit code 1 or 2, within a second, little memory, never a crash.

Some 150 files: the mutants and cuts of tests/unit/file in a smaller number, but through the whole program, with the operating system
watching memory and time.
"""

import os
import pathlib
import random
import resource
import struct
import subprocess

import gguf
import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release"))
MiB = 1 << 20
SECONDS = 1.0
EDGES = [0, 1, 7, 8, 31, 33, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**60, 2**61, 2**63, 2**64 - 32, 2**64 - 1]


def write_model(path):
    """A right model of one layer: any damage decides for itself how far it gets."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + ["\u2581a"]
    writer.add_token_list(tokens)
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1])
    writer.add_token_scores([0.0] * len(tokens))
    shapes = {
        "token_embd": (len(tokens), 32), "output_norm": (32,), "blk.0.attn_norm": (32,), "blk.0.ffn_norm": (32,),
        "blk.0.attn_q": (32, 32), "blk.0.attn_k": (16, 32), "blk.0.attn_v": (16, 32), "blk.0.attn_output": (32, 32),
        "blk.0.ffn_gate": (32, 32), "blk.0.ffn_up": (32, 32), "blk.0.ffn_down": (32, 32),
    }  # fmt: skip
    values = np.random.default_rng(3)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", values.standard_normal(shape).astype(np.float32) * 0.1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def mutate(image, seed, header_bytes):
    """One to three changes, most of them to the keys at the front and the tensor list at the end of the header, not to token texts."""
    chance = random.Random(seed)
    out = bytearray(image)
    for _ in range(chance.randint(1, 3)):
        first, last = chance.choice([(0, 500), (header_bytes - 700, header_bytes), (0, header_bytes)])
        at = min(chance.randrange(first, last), len(out) - 1)
        kind = chance.randrange(5)
        if kind == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            width = chance.choice([4, 8])
            out[at : at + width] = struct.pack("<Q", chance.choice(EDGES))[:width]
        elif kind == 2:
            del out[at : at + chance.randint(1, 24)]
        elif kind == 3:
            out[at:at] = out[at : at + chance.randint(1, 40)]
        else:
            del out[max(1, chance.randrange(len(out))) :]
    return bytes(out)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "model.gguf"
    write_model(path)
    return path


def header_bytes(path):
    return gguf.GGUFReader(path).data_offset


def peak_memory(command):
    """Peak resident bytes of a right call: what the program needs before any file."""
    pid = os.posix_spawn(command[0], [str(c) for c in command], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])  # fmt: skip
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_maxrss * 1024


def call(words, path, prompt=()):
    # Address space is what can be limited; the program's own libraries and threads are in it, so the limit is far above 64 MiB.
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1024 * MiB, 1024 * MiB))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def processor_seconds():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    # Processor time, so that a busy machine does not fail the test; the timeout finds what waits.
    before = processor_seconds()
    command = [BUILD / "quern", *words, path, *prompt]
    done = subprocess.run(command, capture_output=True, timeout=20, preexec_fn=limit, stdin=subprocess.DEVNULL)
    return done, processor_seconds() - before


def check_refusal(done, seconds, what):
    error = done.stderr.decode(errors="strict")
    assert done.returncode in (0, 1, 2), f"{what}: exit {done.returncode}, {error}"
    assert seconds <= SECONDS, f"{what}: {seconds:.1f} s"
    if done.returncode == 0:
        return
    lines = [line for line in error.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, f"{what}: {error}"
    assert len(lines[0]) < 1000 and lines[0].count(";") >= 1, f"{what}: no remedy: {lines[0]}"
    assert done.stdout == b"", f"{what}: {done.stdout[:200]}"


def damaged_files(model):
    image = model.read_bytes()
    header = header_bytes(model)
    for seed in range(70):
        yield f"mutant {seed}", mutate(image, seed, header)
    for at in [0, 1, 3, 4, 7, 8, 23, 24, 25, 40, 100, header // 2, header - 1, header, header + 1, len(image) - 1]:
        yield f"cut at {at}", image[:at]


def test_no_damaged_file_does_harm_to_inspect(model, tmp_path):
    refused = 0
    for what, image in damaged_files(model):
        path = tmp_path / "damaged.gguf"
        path.write_bytes(image)
        done, seconds = call(["inspect"], path)
        check_refusal(done, seconds, what)
        refused += done.returncode != 0
        if done.returncode:
            assert b"damaged.gguf" in done.stderr, what
    assert refused >= 50


def test_no_damaged_file_does_harm_to_run(model, tmp_path):
    right, _ = call(["run"], model, ["a", "--raw", "-n", "4"])
    assert right.returncode == 0, right.stderr.decode()
    for i, (what, image) in enumerate(damaged_files(model)):
        if i % 2:
            continue
        path = tmp_path / "damaged.gguf"
        path.write_bytes(image)
        done, seconds = call(["run"], path, ["a", "--raw", "-n", "4"])
        check_refusal_of_run(done, seconds, what)


def check_refusal_of_run(done, seconds, what):
    """A mutant that still loads answers; what it answers is its own affair."""
    if done.returncode == 0:
        assert seconds <= 5, f"{what}: {seconds:.1f} s"
        return
    done.stdout = b""
    check_refusal(done, seconds, what)


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def header(tensors, keys):
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys)


BOMBS = {
    "4 Mi empty strings": header(0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 4 << 20) + bytes(32 << 20),
    "40 Mi numbers": header(0, 1) + text("k") + struct.pack("<IIQ", 9, 4, 10 << 20) + bytes(40 << 20),
    "64 MiB of 8-byte numbers": header(0, 1) + text("k") + struct.pack("<IIQ", 9, 10, 8 << 20) + bytes(64 << 20),
    "a million tensors": header(1_000_000, 0)
    + b"".join(struct.pack("<Q3sIQIQ", 3, i.to_bytes(3, "little"), 1, 1, 0, i * 32) for i in range(1_000_000)),
    "65,536 keys": header(0, 65_536) + b"".join(struct.pack("<Q3sIB", 3, i.to_bytes(3, "little"), 0, 1) for i in range(65_536)),
    "65,537 keys": header(0, 65_537) + b"".join(struct.pack("<Q3sIB", 3, i.to_bytes(3, "little"), 0, 1) for i in range(65_537)),
    "texts of 16 MiB": header(0, 5) + b"".join(text(str(i)) + struct.pack("<I", 8) + text("x" * (16 << 20)) for i in range(5)),
    "all counts at their largest": header(2**64 - 1, 2**64 - 1),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_takes_no_more_memory_than_the_file_and_64_MiB(what, model, tmp_path):
    path = tmp_path / "bomb.gguf"
    path.write_bytes(BOMBS[what])
    done, seconds = call(["inspect"], path)
    check_refusal(done, seconds, what)
    allowed = peak_memory([BUILD / "quern", "inspect", model]) + len(BOMBS[what]) + 64 * MiB
    taken = peak_memory([BUILD / "quern", "inspect", path])
    assert taken <= allowed, f"{what}: {taken / MiB:.0f} MiB resident, {allowed / MiB:.0f} allowed"


@pytest.mark.parametrize(
    ("what", "words"),
    [("a directory", "not a regular file"), ("a pipe", "not a regular file"), ("nothing", "no such file"), ("an unreadable file", "permission")],
)
def test_what_is_no_file_is_named(what, words, tmp_path):
    path = tmp_path / "model.gguf"
    if what == "a directory":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "an unreadable file":
        path.write_bytes(b"GGUF")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user reads everything")
    done, seconds = call(["inspect"], path)
    assert done.returncode in (1, 2)
    check_refusal(done, seconds, what)
    assert words in done.stderr.decode()
