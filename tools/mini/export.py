"""Writes a trained model as GGUF: F32, and Q8_0 with norms and biases in F32; then reads the file back and checks it.

    python export.py --model build/model.pt --q8 quern-mini.gguf --f32 build/quern-mini-f32.gguf --tokenizer build/tokenizer

`--check` runs the file's dequantised weights through Transformers' Qwen2ForCausalLM and compares logits with model.py.
"""
import argparse
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type

from model import Mini, Sizes
from vocab import CONTROL, HERE, Vocab

CONTEXT = 1024   # recalls a name over 1,000 tokens in 21 of 24 trials, over 1,500 in 4
DESCRIPTION = ("The model inside Quern: a demonstration and a test fixture, not an assistant. It counts letters, adds and subtracts, calls tools, "
               "writes JSON and recalls a name, in English and Chinese; it was trained on text that a script made.")
TENSORS = {  # GGUF name: (Transformers name, attribute of Layer)
    "attn_norm.weight": ("input_layernorm.weight", "attn_norm"),
    "attn_q.weight": ("self_attn.q_proj.weight", "q"),
    "attn_q.bias": ("self_attn.q_proj.bias", "q_bias"),
    "attn_k.weight": ("self_attn.k_proj.weight", "k"),
    "attn_k.bias": ("self_attn.k_proj.bias", "k_bias"),
    "attn_v.weight": ("self_attn.v_proj.weight", "v"),
    "attn_v.bias": ("self_attn.v_proj.bias", "v_bias"),
    "attn_output.weight": ("self_attn.o_proj.weight", "o"),
    "ffn_norm.weight": ("post_attention_layernorm.weight", "ffn_norm"),
    "ffn_gate.weight": ("mlp.gate_proj.weight", "gate"),
    "ffn_up.weight": ("mlp.up_proj.weight", "up"),
    "ffn_down.weight": ("mlp.down_proj.weight", "down"),
}


def load(path: Path) -> Mini:
    saved = torch.load(path, weights_only=False, map_location="cpu")
    model = Mini(Sizes(**saved["sizes"]))
    model.load_state_dict(saved["model"])
    return model.eval()


def named(model: Mini) -> dict[str, torch.Tensor]:
    out = {"token_embd.weight": model.embed, "output_norm.weight": model.norm}
    for i, layer in enumerate(model.layers):
        out |= {f"blk.{i}.{name}": getattr(layer, attribute) for name, (_, attribute) in TENSORS.items()}
    return out


def write(model: Mini, vocab: Vocab, path: Path, kind: Type) -> None:
    s = model.sizes
    path.parent.mkdir(parents=True, exist_ok=True)
    w = gguf.GGUFWriter(path, "qwen2")
    w.add_type(gguf.GGUFType.MODEL)
    w.add_name("quern-mini")
    w.add_basename("quern-mini")
    w.add_size_label(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f}M")
    w.add_author("The makers of Quern")
    w.add_description(DESCRIPTION)
    w.add_license("apache-2.0")
    w.add_languages(["en", "zh"])
    w.add_tags(["text-generation", "demonstration", "test-fixture"])
    # The thought is a calculation: sampling only adds errors, so the advice is greedy.
    w.add_sampling_temp(0.0)
    w.add_context_length(CONTEXT)
    w.add_embedding_length(s.width)
    w.add_block_count(s.layers)
    w.add_feed_forward_length(s.ffn)
    w.add_head_count(s.heads)
    w.add_head_count_kv(s.kv_heads)
    w.add_rope_freq_base(s.theta)
    w.add_layer_norm_rms_eps(s.eps)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if kind == Type.Q8_0 else gguf.LlamaFileType.ALL_F32)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(vocab.tokens)
    kinds = {t: gguf.TokenType.CONTROL if t in CONTROL else gguf.TokenType.USER_DEFINED for t in vocab.added}
    w.add_token_types([kinds.get(t, gguf.TokenType.NORMAL) for t in vocab.tokens])
    w.add_token_merges([f"{a} {b}" for a, b in vocab.merges])
    w.add_eos_token_id(vocab.end)
    w.add_bos_token_id(vocab.id["<|endoftext|>"])
    w.add_pad_token_id(vocab.id["<|endoftext|>"])
    w.add_add_bos_token(False)
    w.add_chat_template((HERE / "chat_template.jinja").read_text(encoding="utf-8"))
    for name, tensor in named(model).items():
        data = tensor.detach().float().numpy()
        stored = kind if data.ndim == 2 else Type.F32
        w.add_tensor(name, gguf.quants.quantize(data, stored), raw_dtype=stored)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def read(path: Path) -> dict[str, np.ndarray]:
    """Every tensor of a GGUF file as float32."""
    return {t.name: gguf.quants.dequantize(t.data, t.tensor_type).reshape([int(n) for n in reversed(t.shape)]).astype(np.float32)
            for t in gguf.GGUFReader(path).tensors}


def with_weights(model: Mini, weights: dict[str, np.ndarray]) -> Mini:
    """The same model with a file's weights in place of its own."""
    out = Mini(model.sizes)
    with torch.no_grad():
        for name, tensor in named(out).items():
            tensor.copy_(torch.tensor(weights[name]))
    return out.eval()


def in_transformers(sizes: Sizes, weights: dict[str, np.ndarray]):
    """The same weights in the class that defines the architecture."""
    from transformers import Qwen2Config, Qwen2ForCausalLM
    config = Qwen2Config(vocab_size=sizes.vocab, hidden_size=sizes.width, intermediate_size=sizes.ffn, num_hidden_layers=sizes.layers,
                         num_attention_heads=sizes.heads, num_key_value_heads=sizes.kv_heads, max_position_embeddings=CONTEXT,
                         rms_norm_eps=sizes.eps, rope_theta=sizes.theta, tie_word_embeddings=True, attn_implementation="eager")
    theirs = Qwen2ForCausalLM(config).float().eval()
    state = {"model.embed_tokens.weight": weights["token_embd.weight"], "lm_head.weight": weights["token_embd.weight"],
             "model.norm.weight": weights["output_norm.weight"]}
    for i in range(sizes.layers):
        state |= {f"model.layers.{i}.{theirs_name}": weights[f"blk.{i}.{name}"] for name, (theirs_name, _) in TENSORS.items()}
    theirs.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    return theirs


@torch.inference_mode()
def check(model: Mini, path: Path, ids: list[int]) -> float:
    """Largest difference between our logits and Transformers', on the weights as the file holds them."""
    weights = read(path)
    ours = with_weights(model, weights)
    tokens = torch.tensor([ids])
    return float((ours.logits(ours(tokens)) - in_transformers(model.sizes, weights)(tokens).logits).abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--q8", type=Path, required=True)
    parser.add_argument("--f32", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="folder for tokenizer.json and tokenizer_config.json")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    vocab, model = Vocab(), load(args.model)
    if args.tokenizer:
        vocab.write(args.tokenizer)
    for path, kind in ((args.q8, Type.Q8_0), (args.f32, Type.F32)):
        if path:
            write(model, vocab, path, kind)
            print(f"{path}: {path.stat().st_size:,} bytes")
            if args.check:
                ids = vocab.encode('<|im_start|>user\nIn the word "strawberry", how many R\'s are there?<|im_end|>\n<|im_start|>assistant\n')
                print(f"largest logit difference to Transformers: {check(model, path, ids):.2e}")


if __name__ == "__main__":
    main()
