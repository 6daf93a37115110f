"""Tiny random models through Hugging Face Transformers in float32: one golden file for each architecture and rotation variant."""

import json
import math
import pathlib
import sys

import numpy as np
import torch
import transformers

import weights

PROMPT_TOKENS, GREEDY_TOKENS = 24, 64
VOCAB, WIDTH, FEED_FORWARD, LAYERS, HEADS, KV_HEADS, HEAD = 96, 48, 80, 3, 4, 2, 16
CONTEXT = 256
ORIGINAL_CONTEXT = 32  # of the scaled variants: most of the greedy ids lie beyond it

LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
# A small base spreads the few frequencies of a tiny head, so that both ends of YaRN's ramp fall between them.
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024, "rope_theta": 100.0}
YARN_SET = YARN | {"original_max_position_embeddings": 64, "beta_fast": 4.0, "beta_slow": 0.5, "attention_factor": 1.3}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": ORIGINAL_CONTEXT,
    "rope_theta": 500000.0,
}
PLAIN = {"rope_type": "default", "rope_theta": 10000.0}

# name, architecture, what differs from the plain model
CASES = [
    ("llama", "llama", {}),
    ("llama-tied", "llama", {"tie_word_embeddings": True}),
    ("llama-bias", "llama", {"attention_bias": True, "mlp_bias": True}),
    ("llama-linear", "llama", {"rope_parameters": LINEAR}),
    ("llama-yarn", "llama", {"rope_parameters": YARN}),
    ("llama-llama3", "llama", {"rope_parameters": LLAMA3}),
    ("llama-window", "llama", {"sliding_window": 9}),
    ("qwen2", "qwen2", {}),
    ("qwen2-tied", "qwen2", {"tie_word_embeddings": True}),
    ("qwen2-linear", "qwen2", {"rope_parameters": LINEAR}),
    ("qwen2-yarn", "qwen2", {"rope_parameters": YARN}),
    ("qwen2-window", "qwen2", {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1}),
    ("qwen3", "qwen3", {}),
    ("qwen3-tied", "qwen3", {"tie_word_embeddings": True}),
    ("qwen3-linear", "qwen3", {"rope_parameters": LINEAR}),
    ("qwen3-yarn", "qwen3", {"rope_parameters": YARN_SET}),
    ("qwen3-wide-heads", "qwen3", {"head_dim": 24}),
    ("qwen3-window", "qwen3", {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1}),
]


def make_model(architecture: str, changes: dict):
    sizes = dict(
        vocab_size=VOCAB,
        hidden_size=WIDTH,
        intermediate_size=FEED_FORWARD,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        head_dim=HEAD,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-6,
        rope_parameters=dict(PLAIN),
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    sizes.update(changes)
    if architecture == "llama" and "sliding_window" in changes:
        config = transformers.MistralConfig(**sizes)
        return transformers.MistralForCausalLM(config).float().eval()
    kind = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[architecture]
    if architecture == "qwen2":
        sizes["hidden_size"] = HEADS * HEAD  # Qwen2 derives the head size
        sizes.pop("head_dim")
    config = getattr(transformers, kind + "Config")(**sizes)
    return getattr(transformers, kind + "ForCausalLM")(config).float().eval()


GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def gguf_name(name: str) -> str:
    stem, suffix = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, rest = stem.split(".", 3)
        return f"blk.{layer}.{GGUF_NAMES[rest]}.{suffix}"
    return f"{GGUF_NAMES[stem]}.{suffix}"


def from_adjacent_pairs(matrix: np.ndarray, heads: int) -> np.ndarray:
    """GGUF's llama rows (pairs 2i, 2i+1) back to Hugging Face's order (pairs i, i + head/2)."""
    rows = matrix.reshape(heads, -1, 2, *matrix.shape[1:])
    return rows.swapaxes(1, 2).reshape(matrix.shape)


def fill(model, architecture: str, seed: int) -> list:
    """Sets every weight from the generator; returns the tensors as GGUF has them: [name, shape, stream, centre, spread]."""
    tensors, config = [], model.config
    with torch.no_grad():
        for stream, (name, parameter) in enumerate(model.named_parameters()):
            shape = tuple(parameter.shape)
            if "norm" in name:
                centre, spread = 1.0, 0.5
            elif name.endswith("bias"):
                centre, spread = 0.0, 0.5
            elif "embed_tokens" in name or "lm_head" in name:
                # Tied embeddings as large as the layers' output would make the model repeat its last token.
                centre, spread = 0.0, 0.3 if config.tie_word_embeddings else 2.0
            else:
                centre, spread = 0.0, round(4.0 / math.sqrt(shape[-1]), 4)
            values = weights.tensor(seed, stream, shape, centre, spread)
            if architecture == "llama" and ".q_proj." in name:
                values = from_adjacent_pairs(values, config.num_attention_heads)
            if architecture == "llama" and ".k_proj." in name:
                values = from_adjacent_pairs(values, config.num_key_value_heads)
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
            tensors.append([gguf_name(name), list(reversed(shape)), stream, centre, spread])
    return tensors


def llama3_divisors(rope: dict, head: int) -> list:
    """rope_freqs as the GGUF converter writes them: how much slower each pair turns."""
    original = rope["original_max_position_embeddings"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    divisors = []
    for i in range(head // 2):
        wave = 2 * math.pi * rope["rope_theta"] ** (2 * i / head)
        if wave < original / high:
            divisors.append(1.0)
        elif wave > original / low:
            divisors.append(rope["factor"])
        else:
            smooth = (original / wave - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return [float(np.float32(d)) for d in divisors]


def metadata(architecture: str, config, changes: dict) -> dict:
    rope = changes.get("rope_parameters", PLAIN)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    keys = {
        "block_count": config.num_hidden_layers,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "rope.freq_base": rope["rope_theta"],
    }
    if head * config.num_attention_heads != config.hidden_size:
        keys |= {"attention.key_length": head, "attention.value_length": head}
    if rope["rope_type"] in ("linear", "yarn"):
        keys |= {"rope.scaling.type": rope["rope_type"], "rope.scaling.factor": rope["factor"]}
    if rope["rope_type"] == "yarn":
        keys["rope.scaling.original_context_length"] = rope["original_max_position_embeddings"]
        keys |= {f"rope.scaling.yarn_{beta}": rope[beta] for beta in ("beta_fast", "beta_slow") if beta in rope}
        if "attention_factor" in rope:  # GGUF's factor multiplies the default, 0.1 ln(factor) + 1
            keys["rope.scaling.attn_factor"] = rope["attention_factor"] / (0.1 * math.log(rope["factor"]) + 1)
    if "sliding_window" in changes:
        keys["attention.sliding_window"] = changes["sliding_window"]
        if "max_window_layers" in changes:
            first = changes["max_window_layers"]
            keys["attention.sliding_window_pattern"] = [layer >= first for layer in range(config.num_hidden_layers)]
    return {"general.architecture": architecture} | {f"{architecture}.{key}": value for key, value in keys.items()}


def answer(model, prompt: list):
    """Logits of the prompt, greedy ids after it, and the smallest lead that a chosen id had over the next best."""
    ids, margin = list(prompt), math.inf
    with torch.no_grad():
        first = model(torch.tensor([ids])).logits[0]
        for _ in range(GREEDY_TOKENS):
            logits = model(torch.tensor([ids])).logits[0, -1]
            best = torch.topk(logits, 2).values
            margin = min(margin, float(best[0] - best[1]))
            ids.append(int(torch.argmax(logits)))
    return first, ids[len(prompt) :], margin


def golden(name: str, architecture: str, changes: dict) -> dict:
    for seed in range(1, 100):
        model = make_model(architecture, changes)
        tensors = fill(model, architecture, seed)
        prompt = [int(u * VOCAB) for u in weights.uniform(seed, PROMPT_TOKENS, 1 << 20)]
        logits, greedy, margin = answer(model, prompt)
        # Two ids that nearly tie would make the test about rounding; a reply that repeats one id would test little.
        if margin > 1e-3 and len(set(greedy)) >= 12:
            break
    else:
        raise RuntimeError(f"{name}: no seed gives clear answers")
    constants = {}
    rope = changes.get("rope_parameters", PLAIN)
    if rope["rope_type"] == "llama3":
        constants["rope_freqs.weight"] = llama3_divisors(rope, HEAD)
    positions = [0, PROMPT_TOKENS // 2, PROMPT_TOKENS - 1]
    return {
        "name": name,
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}, float32",
        "seed": seed,
        "metadata": metadata(architecture, model.config, changes),
        "tensors": tensors,
        "constants": constants,
        "prompt": prompt,
        "logits": {str(p): [float(f"{v:.8g}") for v in logits[p].tolist()] for p in positions},
        "greedy": greedy,
        "smallest_margin": float(f"{margin:.3g}"),
    }


def write(path: pathlib.Path, value: dict) -> None:
    """One line a key, one line a tensor, so that a diff shows what changed."""
    lines = []
    for key, entry in value.items():
        if key == "tensors":
            rows = ",\n".join("    " + json.dumps(row) for row in entry)
            lines.append(f'  "tensors": [\n{rows}\n  ]')
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(entry)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, architecture, changes in CASES:
        result = golden(name, architecture, changes)
        write(folder / f"{name}.json", result)
        print(f"{name}: seed {result['seed']}, smallest margin {result['smallest_margin']}")


if __name__ == "__main__":
    main()
