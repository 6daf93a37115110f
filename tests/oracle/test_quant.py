"""Quern's formats against the `gguf` package: the same floats to the bit for any bytes, and the same blocks when writing.

Random blocks hold every byte value; on top, the f16 scales take special values (zero, denormals, the largest). Scales that are infinite or
NaN are left to the fuzz target: both sides then give NaN or infinity, but numpy says nothing definite about which.
"""

import os
import pathlib
import subprocess

import gguf
import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release")) / "tests" / "oracle_quant"
BLOCKS = 6000

# Where the f16 factors lie in a block; IQ1_M scatters one over four words, and MXFP4 has an 8-bit exponent that may be anything.
HALF_OFFSETS = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ1_S": [0], "IQ1_M": [], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0], "IQ3_S": [0], "IQ4_NL": [0], "IQ4_XS": [0],
    "TQ1_0": [52], "TQ2_0": [64], "MXFP4": [],
}  # fmt: skip
PLAIN = ["F32", "F16", "BF16"]
SPECIAL_HALVES = np.array([0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x83FF, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00], dtype=np.uint16)


def call(verb: str, name: str, data: np.ndarray, dtype) -> np.ndarray:
    done = subprocess.run([str(PROGRAM), verb, name], input=data.tobytes(), capture_output=True, check=True)
    return np.frombuffer(done.stdout, dtype=dtype)


def kind_of(name: str) -> gguf.GGMLQuantizationType:
    return gguf.GGMLQuantizationType[name]


def finite_halves(random: np.random.Generator, count: int) -> np.ndarray:
    """Any f16 but infinity and NaN; the first hold the special values."""
    halves = random.integers(0, 1 << 16, count).astype(np.uint16)
    halves = np.where((halves & 0x7C00) == 0x7C00, halves & 0xBFFF, halves).astype(np.uint16)
    halves[: len(SPECIAL_HALVES)] = SPECIAL_HALVES
    random.shuffle(halves)
    return halves


def random_blocks(name: str) -> np.ndarray:
    random = np.random.default_rng(sum(name.encode()))
    block_bytes = gguf.GGML_QUANT_SIZES[kind_of(name)][1]
    blocks = random.integers(0, 256, (BLOCKS, block_bytes)).astype(np.uint8)
    blocks[:256] = np.arange(256, dtype=np.uint8)[:, None]  # each byte value everywhere
    for offset in HALF_OFFSETS[name]:
        blocks[:, offset : offset + 2] = finite_halves(random, BLOCKS).view(np.uint8).reshape(BLOCKS, 2)
    if name == "IQ1_M":
        halves = finite_halves(random, BLOCKS)
        for part in range(4):  # four bits in the top of each of the four scale words
            high = blocks[:, 49 + 2 * part]
            blocks[:, 49 + 2 * part] = (high & 0x0F) | ((halves >> (4 * part) & 0xF) << 4).astype(np.uint8)
    return blocks


def same_bits(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Equal as bits; any NaN equals any NaN."""
    bits = np.dtype(f"u{ours.dtype.itemsize}")
    nan = np.isnan(ours) & np.isnan(theirs)
    return ours.shape == theirs.shape and bool(np.all((ours.view(bits) == theirs.view(bits)) | nan))


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("name", HALF_OFFSETS)
def test_dequantize_gives_the_floats_of_gguf_to_the_bit(name: str) -> None:
    blocks = random_blocks(name)
    theirs = gguf.quants.dequantize(blocks, kind_of(name)).ravel()
    assert not np.isnan(theirs).any()
    assert same_bits(call("dequantize", name, blocks, np.float32), theirs)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
@pytest.mark.parametrize("name", HALF_OFFSETS)
def test_unpacked_integers_evaluate_to_the_same_weights(name: str) -> None:
    blocks = random_blocks(name)
    exact = call("evaluate", name, blocks, np.float64)
    theirs = gguf.quants.dequantize(blocks, kind_of(name)).ravel().astype(np.float64)
    size = gguf.GGML_QUANT_SIZES[kind_of(name)][0]
    # Two roundings at most, each relative to the larger of the terms that are combined.
    scale = np.abs(exact).reshape(-1, size).max(axis=1, keepdims=True).repeat(size, axis=1).ravel()
    with np.errstate(over="ignore"):
        finite = np.isfinite(exact.astype(np.float32))  # MXFP4's largest powers of two overflow a float
    assert np.array_equal(finite, np.isfinite(theirs))
    assert np.all(np.abs(exact - theirs)[finite] <= scale[finite] * 2.0**-22)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_formats_read_every_16_bit_pattern(name: str) -> None:
    values = np.arange(1 << 16, dtype=np.uint16)
    data = values.astype(np.uint32) << 16 if name == "F32" else values
    theirs = gguf.quants.dequantize(data.view(np.uint8).reshape(1, -1), kind_of(name)).ravel()
    assert same_bits(call("dequantize", name, data, np.float32), theirs)


def values_to_write(name: str) -> np.ndarray:
    random = np.random.default_rng(7)
    size = gguf.GGML_QUANT_SIZES[kind_of(name)][0]
    rows = random.standard_normal((BLOCKS, 32)) * 10.0 ** random.integers(-6, 4, (BLOCKS, 1))
    rows[0] = 0
    rows[1] = 1
    rows[2] = -1
    rows[3] = np.arange(32) - 16  # ties between codes, and two values equally far from zero
    rows[4] = (np.arange(32) - 15.5) / 2
    rows[5, 1:] = 0
    rows[6:1000] = random.integers(-8, 9, (994, 32)) / 2  # many exact ties
    return rows.astype(np.float32).reshape(-1, size)


@pytest.mark.parametrize("name", ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"])
def test_quantize_writes_the_blocks_of_gguf(name: str) -> None:
    values = values_to_write(name)
    theirs = gguf.quants.quantize(values, kind_of(name)).ravel()
    assert np.array_equal(call("quantize", name, values, np.uint8), theirs)


def test_f16_rounds_to_nearest_even_like_numpy() -> None:
    random = np.random.default_rng(16)
    values = random.integers(0, 1 << 32, 2_000_000, dtype=np.uint32)
    values[: 1 << 20] = np.uint32(0x38000000) + random.integers(0, 1 << 23, 1 << 20, dtype=np.uint32)  # around the smallest normal
    halves = np.arange(1 << 15, dtype=np.uint16).view(np.float16).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        ties = ((halves[1:] + halves[:-1]) / 2).astype(np.float32)
        values = np.concatenate([values.view(np.float32), ties, -ties, np.nextafter(ties, np.float32(0)), np.nextafter(ties, np.float32(1e9))])
        theirs = values.astype(np.float16)
    assert same_bits(call("quantize", "F16", values, np.float16), theirs)


def test_bf16_rounds_to_nearest_even_like_gguf() -> None:
    values = np.random.default_rng(17).integers(0, 1 << 32, 1_000_000, dtype=np.uint32)
    values[:65536] = np.arange(65536, dtype=np.uint32) << 16 | 0x8000  # every tie
    theirs = gguf.quants.quantize(values.view(np.float32).reshape(1, -1), kind_of("BF16")).view(np.uint16).ravel()
    assert np.array_equal(call("quantize", "BF16", values, np.uint16), theirs)
