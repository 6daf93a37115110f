"""Our GGUF reader and writer against the `gguf` package: each reads what the other writes, and both see the same."""

import json
import math
import os
import pathlib
import struct
import subprocess

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFValueType

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release"))
STORIES = REPOSITORY.parent / "shared" / "data" / "stories260K.gguf"

TYPE_NAMES = {
    GGUFValueType.UINT8: "u8", GGUFValueType.INT8: "i8", GGUFValueType.UINT16: "u16", GGUFValueType.INT16: "i16",
    GGUFValueType.UINT32: "u32", GGUFValueType.INT32: "i32", GGUFValueType.UINT64: "u64", GGUFValueType.INT64: "i64",
    GGUFValueType.FLOAT32: "f32", GGUFValueType.FLOAT64: "f64", GGUFValueType.BOOL: "bool", GGUFValueType.STRING: "text",
}  # fmt: skip
TENSOR_TYPES = [
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ1_S", "IQ1_M", "IQ2_XXS",
    "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4",
]  # fmt: skip


def inspect(path):
    done = subprocess.run([BUILD / "quern", "inspect", path, "--json"], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_all_values(writer):
    edges = [("uint8", 0, 255), ("int8", -128, 127), ("uint16", 0, 2**16 - 1), ("int16", -(2**15), 2**15 - 1), ("uint32", 0, 2**32 - 1),
             ("int32", -(2**31), 2**31 - 1), ("uint64", 0, 2**64 - 1), ("int64", -(2**63), 2**63 - 1),
             ("float32", -math.inf, 1.0000001192092896), ("float64", 5e-324, 0.1)]  # fmt: skip
    for name, low, high in edges:
        getattr(writer, f"add_{name}")(f"low.{name}", low)
        getattr(writer, f"add_{name}")(f"high.{name}", high)
        kind = GGUFValueType[name.upper()]
        writer.add_key_value(f"array.{name}", [low, high, 1], GGUFValueType.ARRAY, sub_type=kind)
    writer.add_bool("yes", True)
    writer.add_bool("no", False)
    writer.add_array("flags", [True, False, True])
    writer.add_string("word", "größer ☕ 大 \u0000 \x1b end")
    writer.add_string("long", "x" * 100_000)
    writer.add_array("words", ["", "a", "ein längeres Wort, auf der Halde"])


def add_all_tensors(writer):
    random = np.random.default_rng(7)
    for name in TENSOR_TYPES:
        kind = GGMLQuantizationType[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        if name in ("F32", "F16"):
            writer.add_tensor(f"t.{name}", random.random((3, 5)).astype(np.float32 if name == "F32" else np.float16))
        else:
            raw = random.integers(0, 256, (2, 3, 2 * size), dtype=np.uint8)
            writer.add_tensor(f"t.{name}", raw, raw_dtype=kind)


@pytest.fixture(params=[8, 32, 4096])
def everything(request, tmp_path):
    path = tmp_path / "everything.gguf"
    writer = gguf.GGUFWriter(path, "toy")
    writer.add_custom_alignment(request.param)
    add_all_values(writer)
    add_all_tensors(writer)
    finish(writer)
    return path


def fields(path):
    reader = gguf.GGUFReader(path)
    return {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}, reader.tensors


def plain(value):
    """What JSON can say of a value: no infinities, no numpy types."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def test_what_the_package_writes_we_read(everything):
    ours = inspect(everything)
    theirs, tensors = fields(everything)
    assert list(ours["metadata"]) == list(theirs)
    for name, field in theirs.items():
        types = [TYPE_NAMES[t] if t != GGUFValueType.ARRAY else None for t in field.types]
        assert ours["metadata_types"][name] == (types[0] if types[0] else f"[{types[1]}]"), name
        assert ours["metadata"][name] == plain(field.contents()), name
    assert [t["name"] for t in ours["tensors"]] == [t.name for t in tensors]
    for our, their in zip(ours["tensors"], tensors, strict=True):
        assert our["type"] == their.tensor_type.name
        assert our["shape"] == their.shape.tolist(), our["name"]
        assert our["bytes"] == their.n_bytes


def check_copy(original, tmp_path):
    copy = tmp_path / "copy.gguf"
    subprocess.run([BUILD / "tests" / "oracle_gguf", original, copy], check=True)
    before, tensors_before = fields(original)
    after, tensors_after = fields(copy)
    assert list(before) == list(after)
    for name in before:
        assert before[name].types == after[name].types
        assert before[name].contents() == after[name].contents(), name
    for a, b in zip(tensors_before, tensors_after, strict=True):
        assert (a.name, a.tensor_type, a.shape.tolist()) == (b.name, b.tensor_type, b.shape.tolist())
        assert a.data.tobytes() == b.data.tobytes(), a.name


def test_what_we_write_the_package_reads(everything, tmp_path):
    check_copy(everything, tmp_path)


def test_a_real_model_written_again_is_the_same(tmp_path):
    if not STORIES.exists():
        pytest.skip(f"no {STORIES}")
    check_copy(STORIES, tmp_path)


def test_a_model_that_the_package_splits_is_opened_whole(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "split.gguf", "toy", split_max_tensors=2)
    for i in range(5):
        writer.add_tensor(f"t{i}", np.full(8, i, dtype=np.float32))
    finish(writer)
    parts = sorted(path.name for path in tmp_path.iterdir())
    assert len(parts) == 3
    ours = inspect(tmp_path / parts[0])
    assert ours["parts"] == 3
    assert [t["name"] for t in ours["tensors"]] == [f"t{i}" for i in range(5)]
    assert ours["file_bytes"] == sum((tmp_path / part).stat().st_size for part in parts)
    second = subprocess.run([BUILD / "quern", "inspect", tmp_path / parts[1]], capture_output=True, text=True)
    assert second.returncode == 2
    assert f"part 2 of a model in 3 parts; give the first, '{parts[0]}'" in second.stderr
    (tmp_path / parts[2]).unlink()
    missing = subprocess.run([BUILD / "quern", "inspect", tmp_path / parts[0]], capture_output=True, text=True)
    assert missing.returncode == 1
    assert f"{parts[2]}': no such file" in missing.stderr


def test_a_big_endian_file_is_refused_by_name(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "big.gguf", "toy", endianess=gguf.GGUFEndian.BIG)
    writer.add_uint32("toy.block_count", 1)
    finish(writer)
    done = subprocess.run([BUILD / "quern", "inspect", tmp_path / "big.gguf"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "a big-endian file" in done.stderr


def test_version_2_is_read_and_version_1_refused_by_name(everything):
    image = bytearray(everything.read_bytes())
    expected = inspect(everything)
    image[4:8] = struct.pack("<I", 2)
    everything.write_bytes(image)
    assert inspect(everything)["tensors"] == expected["tensors"]
    image[4:8] = struct.pack("<I", 1)
    everything.write_bytes(image)
    done = subprocess.run([BUILD / "quern", "inspect", everything], capture_output=True, text=True)
    assert done.returncode == 2
    assert "GGUF version 1" in done.stderr
