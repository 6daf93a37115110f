"""tools/quant_table rewrites a GGUF file in another format: same metadata, matrices in the format, vectors in F32."""

import pathlib
import sys

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "quant_table"))
from quantize import file_type, rewrite  # noqa: E402


class PackageQuantizer:
    """What ggml does, as far as the gguf package can do it too."""

    def quantize(self, matrix: np.ndarray, kind: Type) -> np.ndarray:
        return gguf.quants.quantize(matrix, kind)


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "f32.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("toy")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_rope_freq_base(10000.0)
    writer.add_add_bos_token(False)
    writer.add_token_list(["a", "\u4e2d", "<|end|>"])
    writer.add_token_types([1, 1, 3])
    random = np.random.default_rng(1)
    for name, shape in {"token_embd.weight": (3, 64), "blk.0.attn_q.weight": (32, 64), "blk.0.attn_q.bias": (32,)}.items():
        writer.add_tensor(name, random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def metadata(reader: gguf.GGUFReader) -> dict:
    return {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}


def test_metadata_is_kept_but_for_the_file_type(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    rewrite(PackageQuantizer(), source, tmp_path / "out.gguf", Type.Q4_0)
    before, after = metadata(gguf.GGUFReader(source)), metadata(gguf.GGUFReader(tmp_path / "out.gguf"))
    assert after.pop("general.file_type") == gguf.LlamaFileType.MOSTLY_Q4_0
    before.pop("general.file_type")
    assert after == before


def test_matrices_are_in_the_format_and_vectors_in_f32(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    rewrite(PackageQuantizer(), source, tmp_path / "out.gguf", Type.Q4_0, embedding=Type.Q8_0)
    before = {t.name: t for t in gguf.GGUFReader(source).tensors}
    after = {t.name: t for t in gguf.GGUFReader(tmp_path / "out.gguf").tensors}
    kinds = {name: tensor.tensor_type for name, tensor in after.items()}
    assert kinds == {"token_embd.weight": Type.Q8_0, "blk.0.attn_q.weight": Type.Q4_0, "blk.0.attn_q.bias": Type.F32}
    assert np.array_equal(after["blk.0.attn_q.bias"].data, before["blk.0.attn_q.bias"].data)
    for name, tensor in after.items():
        assert list(tensor.shape) == list(before[name].shape)
    restored = gguf.quants.dequantize(after["blk.0.attn_q.weight"].data, Type.Q4_0)
    assert np.abs(restored - before["blk.0.attn_q.weight"].data).max() < 0.5


def test_a_file_that_is_not_f32_is_refused(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    rewrite(PackageQuantizer(), source, tmp_path / "q8.gguf", Type.Q8_0)
    with pytest.raises(ValueError, match="F32 needed"):
        rewrite(PackageQuantizer(), tmp_path / "q8.gguf", tmp_path / "q4.gguf", Type.Q4_0)


@pytest.mark.parametrize(("kind", "number"), [(Type.F32, 0), (Type.F16, 1), (Type.Q4_K, 14), (Type.Q6_K, 18), (Type.IQ1_M, 31), (Type.MXFP4, 38)])
def test_the_file_type_is_the_number_that_other_programs_read(kind: Type, number: int) -> None:
    assert file_type(kind) == number
