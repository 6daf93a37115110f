"""Writes a GGUF file again with every matrix in one format. The quantizer is ggml's, called through its shared library.

The library comes with the Python package llama-cpp-python; --ggml names another. Formats that ggml refuses to write without an importance
matrix (IQ1_S, IQ2_XXS, IQ2_XS) get a uniform one: all inputs count alike.
"""

import ctypes
import importlib.util
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

FILE_TYPES = {name.removeprefix("MOSTLY_"): kind for name, kind in gguf.LlamaFileType.__members__.items()}
FLOATS = ctypes.POINTER(ctypes.c_float)


def find_ggml() -> Path | None:
    found = importlib.util.find_spec("llama_cpp")
    return Path(found.origin).parent / "lib" / "libggml-base.so" if found and found.origin else None


class Ggml:
    def __init__(self, library: Path):
        lib = ctypes.CDLL(str(library))
        self._quantize = lib.ggml_quantize_chunk
        self._quantize.restype = ctypes.c_size_t
        self._quantize.argtypes = [ctypes.c_int, FLOATS, ctypes.c_void_p, *[ctypes.c_int64] * 3, FLOATS]
        self._requires_importance = lib.ggml_quantize_requires_imatrix
        self._requires_importance.restype = ctypes.c_bool
        self._requires_importance.argtypes = [ctypes.c_int]

    def quantize(self, matrix: np.ndarray, kind: Type) -> np.ndarray:
        """[rows, columns] f32 to [rows, bytes of a row]."""
        rows, columns = matrix.shape
        weights, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        if columns % weights:
            raise ValueError(f"rows of {columns} weights are no multiple of {kind.name}'s block of {weights}")
        source = np.ascontiguousarray(matrix, dtype=np.float32)
        out = np.zeros((rows, columns // weights * block_bytes), dtype=np.uint8)
        importance = np.ones(columns, dtype=np.float32).ctypes.data_as(FLOATS) if self._requires_importance(kind) else None
        written = self._quantize(kind, source.ctypes.data_as(FLOATS), out.ctypes.data, 0, rows, columns, importance)
        if written != out.nbytes:
            raise RuntimeError(f"ggml wrote {written} bytes of {kind.name}, expected {out.nbytes}")
        return out


def file_type(kind: Type) -> int:
    """The number that general.file_type holds for a file of this format; the K formats have several, of which we take the small one."""
    for name in (kind.name, f"ALL_{kind.name}", f"{kind.name}_S", f"{kind.name}_MOE"):
        if name in FILE_TYPES:
            return int(FILE_TYPES[name])
    return int(gguf.LlamaFileType.GUESSED)


def rewrite(ggml: Ggml, source: Path, target: Path, kind: Type, embedding: Type | None = None) -> None:
    """Every matrix of `source` (F32) in `kind`; the token embedding in `embedding`, where that is given. Vectors stay F32."""
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value = file_type(kind) if key == "general.file_type" else field.contents()
        writer.add_key_value(key, value, field.types[0], field.types[-1] if len(field.types) > 1 else None)
    for tensor in reader.tensors:
        shape = [int(n) for n in reversed(tensor.shape)]
        if tensor.tensor_type != Type.F32:
            raise ValueError(f"{source}: tensor {tensor.name} is {tensor.tensor_type.name}, F32 needed; export the model in F32")
        data = tensor.data.reshape(shape)
        stored = embedding if embedding is not None and tensor.name == "token_embd.weight" else kind
        if len(shape) < 2 or stored == Type.F32:
            writer.add_tensor(tensor.name, data)
        else:
            writer.add_tensor(tensor.name, ggml.quantize(data, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
