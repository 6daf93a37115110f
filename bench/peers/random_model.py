"""A Qwen2.5-shaped GGUF of random weights with the real vocabulary: what a machine does with a model, without the model.

    random_model.py SHAPE OUT.gguf --tokenizer ../shared/data/qwen2.5/tokenizer.json      (SHAPE: 0.5b or 1.5b; type Q4_K_M)

Weights are random codes with small random scales, never zeros: zeros would be faster than any model. The choice of type for each tensor is
llama.cpp's for Q4_K_M.
"""

import argparse
import json

import gguf
import numpy as np

SHAPES = {  # layers, width, feed-forward, heads, key/value heads
    "0.5b": (24, 896, 4864, 14, 2),
    "1.5b": (28, 1536, 8960, 12, 2),
}
QUANT = gguf.GGMLQuantizationType
SCALE_FIELDS = {QUANT.Q4_K: [(0, 2e-4), (2, 2e-3)], QUANT.Q6_K: [(208, 4e-5)], QUANT.Q8_0: [(0, 4e-4)]}  # byte of an f16 scale, its size


def random_tensor(rng, rows: int, columns: int, kind) -> np.ndarray:
    if columns % gguf.GGML_QUANT_SIZES[kind][0]:
        raise SystemExit(f"{columns} columns do not divide into blocks of {kind.name}; take another shape")
    block, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows * columns // block, size), dtype=np.uint8)
    for at, typical in SCALE_FIELDS[kind]:
        scales = (typical * rng.uniform(0.5, 1.5, len(blocks))).astype(np.float16)
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(rows, -1)


def takes_more_bits(layer: int, layers: int) -> bool:
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("out")
    parser.add_argument("--tokenizer", required=True)
    args = parser.parse_args()
    layers, width, feed_forward, heads, kv_heads = SHAPES[args.shape]
    rng = np.random.default_rng(1)

    tokenizer = json.load(open(args.tokenizer))
    tokens = {i: t for t, i in tokenizer["model"]["vocab"].items()} | {t["id"]: t["content"] for t in tokenizer["added_tokens"]}
    added = {t["id"]: t["special"] for t in tokenizer["added_tokens"]}
    vocab = 151936
    writer = gguf.GGUFWriter(args.out, "qwen2")
    writer.add_name(f"random weights, shape of Qwen2.5-{args.shape}")
    writer.add_block_count(layers)
    writer.add_context_length(32768)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(15)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([tokens.get(i, f"[PAD{i}]") for i in range(vocab)])
    writer.add_token_types([(3 if added[i] else 4) if i in added else 1 if i in tokens else 5 for i in range(vocab)])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(151645)
    writer.add_pad_token_id(151643)
    writer.add_add_bos_token(False)

    def matrix(name: str, rows: int, columns: int, kind) -> None:
        writer.add_tensor(name, random_tensor(rng, rows, columns, kind), raw_dtype=kind)

    def vector(name: str, size: int, centre: float) -> None:
        writer.add_tensor(name, (centre + rng.uniform(-0.05, 0.05, size)).astype(np.float32))

    kv_width = kv_heads * (width // heads)
    matrix("token_embd.weight", vocab, width, QUANT.Q6_K)
    vector("output_norm.weight", width, 1)
    for layer in range(layers):
        name, more = f"blk.{layer}.", QUANT.Q6_K if takes_more_bits(layer, layers) else QUANT.Q4_K
        vector(name + "attn_norm.weight", width, 1)
        matrix(name + "attn_q.weight", width, width, QUANT.Q4_K)
        matrix(name + "attn_k.weight", kv_width, width, QUANT.Q4_K)
        matrix(name + "attn_v.weight", kv_width, width, more)
        vector(name + "attn_q.bias", width, 0)
        vector(name + "attn_k.bias", kv_width, 0)
        vector(name + "attn_v.bias", kv_width, 0)
        matrix(name + "attn_output.weight", width, width, QUANT.Q4_K)
        vector(name + "ffn_norm.weight", width, 1)
        matrix(name + "ffn_gate.weight", feed_forward, width, QUANT.Q4_K)
        matrix(name + "ffn_up.weight", feed_forward, width, QUANT.Q4_K)
        matrix(name + "ffn_down.weight", width, feed_forward, more)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
