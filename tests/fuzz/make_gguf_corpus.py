#!/usr/bin/env python3
"""Writes the seed corpus of fuzz_gguf into tests/fuzz/corpus/gguf: small right files that reach every branch of the reader.

Needs the packages of tests/oracle/requirements.txt. Run it again when a value type, tensor type or rule is added.
"""
import pathlib

import gguf
import numpy as np

folder = pathlib.Path(__file__).parent / "corpus" / "gguf"


def write(name, arch, fill, data_alignment=None):
    writer = gguf.GGUFWriter(folder / name, arch)
    if data_alignment:
        writer.add_custom_alignment(data_alignment)
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def all_values(writer):
    writer.add_uint8("u8", 1)
    writer.add_int8("i8", -1)
    writer.add_uint16("u16", 2)
    writer.add_int16("i16", -2)
    writer.add_uint32("u32", 3)
    writer.add_int32("i32", -3)
    writer.add_uint64("u64", 4)
    writer.add_int64("i64", -4)
    writer.add_float32("f32", 0.5)
    writer.add_float64("f64", 0.25)
    writer.add_bool("bool", True)
    writer.add_string("text", "größer")
    for name, values in {"ints": [1, 2], "floats": [0.5], "bools": [True, False], "texts": ["a", "a text on the heap"]}.items():
        writer.add_array(name, values)


def byte_level_vocabulary(writer):
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(["a", "b", "ab", "<think>", "<|im_end|>"])
    writer.add_token_types([1, 1, 1, 4, 3])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(4)
    writer.add_add_bos_token(False)


def sentencepiece_vocabulary(writer):
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["<unk>", "<s>", "</s>", "<0x41>", "\u2581a"])
    writer.add_token_types([2, 3, 3, 6, 1])
    writer.add_token_scores([0.0, 0.0, 0.0, 0.0, -1.0])
    writer.add_bos_token_id(1)
    writer.add_pad_token_id(0xFFFFFFFF)


def tensors_of(*types):
    def fill(writer):
        for kind in types:
            block, size = gguf.GGML_QUANT_SIZES[kind]
            raw = (np.arange(2 * size) % 251).astype(np.uint8).reshape(2, size)
            if kind in (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16):
                writer.add_tensor(kind.name, np.ones((2, 3), dtype=np.float32 if kind.name == "F32" else np.float16))
            else:
                writer.add_tensor(f"blk.0.{kind.name}.weight", raw, raw_dtype=kind)

    return fill


def shapes(writer):
    for dimensions in range(1, 5):
        writer.add_tensor(f"t{dimensions}", np.ones((1, 2, 1, 2)[:dimensions], dtype=np.float32))


def first_of_two(writer):
    writer.add_uint16("split.no", 0)
    writer.add_uint16("split.count", 2)
    writer.add_int32("split.tensors.count", 1)


def main():
    kinds = gguf.GGMLQuantizationType
    folder.mkdir(parents=True, exist_ok=True)
    write("values.gguf", "toy", all_values)
    write("byte_level.gguf", "qwen2", byte_level_vocabulary)
    write("sentencepiece.gguf", "llama", sentencepiece_vocabulary)
    write("plain.gguf", "toy", tensors_of(kinds.F32, kinds.F16, kinds.Q8_0, kinds.Q4_0))
    write("k_quants.gguf", "toy", tensors_of(kinds.Q4_K, kinds.Q6_K))
    write("shapes.gguf", "toy", shapes, data_alignment=8)
    write("split.gguf", "toy", first_of_two)
    image = bytearray((folder / "values.gguf").read_bytes())
    image[4] = 2
    (folder / "version_2.gguf").write_bytes(image)


if __name__ == "__main__":
    main()
