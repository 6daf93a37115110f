"""stories260K.gguf, a real trained model: greedy ids from Hugging Face Transformers in float32, and ids of a prompt from a plain
re-statement of SentencePiece's merging (best score first)."""

import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers

import models

PROMPTS = ["Once upon a time", "Lily and Tom went to the", "The big dog was", "“Héllo”, said the 猫"]
GREEDY_TOKENS = 120


def encode(text: str, tokens: list, scores: list) -> list:
    ids = {token: i for i, token in enumerate(tokens)}
    pieces = list(" ".join(["", text]).replace(" ", "▁"))
    while True:
        pairs = [(scores[ids[a + b]], -i) for i, (a, b) in enumerate(zip(pieces, pieces[1:])) if a + b in ids]
        if not pairs:
            break
        at = -max(pairs)[1]
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
    out = [1]  # BOS
    for piece in pieces:
        out += [ids[piece]] if piece in ids else [ids[f"<0x{byte:02X}>"] for byte in piece.encode()]
    return out


def load(path: str):
    reader = gguf.GGUFReader(path)
    field = lambda key: reader.get_field("llama." + key).contents()
    config = transformers.LlamaConfig(
        vocab_size=512,
        hidden_size=field("embedding_length"),
        intermediate_size=field("feed_forward_length"),
        num_hidden_layers=field("block_count"),
        num_attention_heads=field("attention.head_count"),
        num_key_value_heads=field("attention.head_count_kv"),
        max_position_embeddings=field("context_length"),
        rms_norm_eps=field("attention.layer_norm_rms_epsilon"),
        rope_parameters=dict(models.PLAIN),
        tie_word_embeddings=not any(t.name == "output.weight" for t in reader.tensors),
        attn_implementation="eager",
    )
    model = transformers.LlamaForCausalLM(config).float().eval()
    tensors = {t.name: np.array(t.data) for t in reader.tensors}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = tensors[models.gguf_name(name)]
            if ".q_proj." in name:
                values = models.from_adjacent_pairs(values, config.num_attention_heads)
            if ".k_proj." in name:
                values = models.from_adjacent_pairs(values, config.num_key_value_heads)
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    tokens = reader.get_field("tokenizer.ggml.tokens").contents()
    scores = reader.get_field("tokenizer.ggml.scores").contents()
    return model, tokens, scores


def main() -> None:
    model, tokens, scores = load(sys.argv[1])
    torch.set_num_threads(1)
    models.GREEDY_TOKENS = GREEDY_TOKENS
    cases = []
    for prompt in PROMPTS:
        ids = encode(prompt, tokens, scores)
        _, greedy, margin = models.answer(model, ids)
        cases.append({"text": prompt, "prompt": ids, "greedy": greedy, "smallest_margin": float(f"{margin:.3g}")})
        print(prompt, margin, "".join(tokens[i] for i in greedy).replace("▁", " ")[:160])
    models.write(
        pathlib.Path(sys.argv[2]) / "stories260K.json",
        {"name": "stories260K", "made_with": f"transformers {transformers.__version__}, float32"} | {f"case_{i}": case for i, case in enumerate(cases)},
    )


if __name__ == "__main__":
    main()
