"""Writes tests/data/quantize/mixes.txt: the type that llama.cpp gives to each tensor, for every mix and many shapes of models.

    mixes.py OUT        needs the packages llama-cpp-python and gguf; a few minutes

Each model is a file of zeros with the real names and counts of tensors, and rows as long as matters (a multiple of 256, of 32, or neither).
llama.cpp only plans (dry run), and its log says what each tensor would become. One line a model, then one a mix:

    model ARCHITECTURE layers L heads H kv K experts E columns C output tied|own
    MIX [weighted|either]: ROLE TYPE*COUNT TYPE*COUNT … | ROLE …       in the order of layers; "weighted": with an importance matrix
"""

import argparse
import ctypes
import pathlib
import re
import tempfile

import gguf
import llama_cpp
import numpy as np

MIXES = {"F16": 1, "BF16": 32, "F32": 0, "Q4_0": 2, "Q4_1": 3, "Q5_0": 8, "Q5_1": 9, "Q8_0": 7, "Q2_K": 10, "Q2_K_S": 21, "Q3_K_S": 11, "Q3_K_M": 12,
         "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ1_S": 24, "IQ1_M": 31, "IQ2_XXS": 19, "IQ2_XS": 20,
         "IQ2_S": 28, "IQ2_M": 29, "IQ3_XXS": 23, "IQ3_XS": 22, "IQ3_S": 26, "IQ3_M": 27, "IQ4_NL": 25, "IQ4_XS": 30, "TQ1_0": 36, "TQ2_0": 37,
         "MXFP4_MOE": 38}
MODELS = [  # architecture, layers, heads, key/value heads, experts, columns, tied
    ("llama", 2, 4, 4, 0, 256, False),
    ("llama", 5, 4, 1, 0, 256, True),
    ("llama", 32, 4, 4, 0, 256, False),
    ("llama", 32, 8, 2, 0, 256, False),
    ("llama", 80, 8, 1, 0, 256, False),
    ("llama", 80, 8, 8, 0, 256, False),
    ("llama", 32, 8, 2, 8, 256, False),
    ("qwen2", 24, 8, 1, 0, 224, True),
    ("qwen2", 28, 8, 4, 0, 256, True),
    ("qwen2", 28, 8, 1, 0, 256, False),
    ("qwen2", 64, 8, 1, 0, 256, False),
    ("qwen2", 80, 8, 1, 0, 256, False),
    ("qwen3", 28, 8, 4, 0, 256, True),
    ("qwen3", 36, 8, 2, 0, 256, False),
    ("qwen3", 3, 8, 2, 0, 240, False),
    ("qwen3", 48, 8, 1, 0, 288, True),
    ("qwen3moe", 12, 8, 1, 16, 256, False),
    ("qwen3moe", 9, 8, 8, 2, 256, True),
]
ROLES = ("token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "ffn_gate_exps", "ffn_up_exps",
         "ffn_down_exps")


def write_model(path, architecture, layers, heads, kv_heads, experts, columns, tied):
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(layers)
    writer.add_context_length(128)
    writer.add_embedding_length(columns)
    writer.add_feed_forward_length(columns)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_rope_dimension_count(columns // heads // 2 * 2)
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(columns)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([f"t{i}" for i in range(32)])
    writer.add_token_types([1] * 32)
    writer.add_token_merges([])
    head = columns // heads

    def matrix(name, *shape):
        writer.add_tensor(name, np.zeros(shape, np.float16))

    def vector(name, size):
        writer.add_tensor(name, np.ones(size, np.float32))

    matrix("token_embd.weight", 32, columns)
    vector("output_norm.weight", columns)
    if not tied:
        matrix("output.weight", 32, columns)
    for layer in range(layers):
        blk = f"blk.{layer}."
        vector(blk + "attn_norm.weight", columns)
        vector(blk + "ffn_norm.weight", columns)
        matrix(blk + "attn_q.weight", heads * head, columns)
        matrix(blk + "attn_k.weight", kv_heads * head, columns)
        matrix(blk + "attn_v.weight", kv_heads * head, columns)
        matrix(blk + "attn_output.weight", columns, heads * head)
        if experts:
            matrix(blk + "ffn_gate_inp.weight", experts, columns)
            for name in ("gate", "up", "down"):
                matrix(blk + f"ffn_{name}_exps.weight", experts, columns, columns)
        else:
            for name in ("gate", "up", "down"):
                matrix(blk + f"ffn_{name}.weight", columns, columns)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


log = []


@llama_cpp.llama_log_callback
def listen(level, text, data):
    log.append(text.decode(errors="replace"))


def planned_types(path, file_type, weighted):
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.dry_run, params.nthread = file_type, True, 1
    if weighted:
        ones = (ctypes.c_float * 1)(1.0)
        matrix = (llama_cpp.llama_model_imatrix_data * 2)()
        matrix[0].name, matrix[0].data, matrix[0].size = b"none", ctypes.cast(ones, ctypes.POINTER(ctypes.c_float)), 1
        params.imatrix = ctypes.cast(matrix, ctypes.POINTER(llama_cpp.llama_model_imatrix_data))
    log.clear()
    if llama_cpp.llama_model_quantize(str(path).encode(), b"/dev/null", ctypes.byref(params)) != 0:
        raise SystemExit("".join(log[-20:]))
    types = {}
    for line in "".join(log).splitlines():
        found = re.match(r"\[ *\d+/ *\d+\]\s+(\S+)\s+- \[.*?\], type = +(\S+?), size = [^>]*(?:-> .*\((\S+)\))?$", line)
        if found:
            types[found[1]] = (found[3] or found[2]).upper()
    return types


def run_lengths(types):
    out = []
    for kind in types:
        if out and out[-1][0] == kind:
            out[-1][1] += 1
        else:
            out.append([kind, 1])
    return " ".join(f"{kind}*{count}" for kind, count in out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    args = parser.parse_args()
    llama_cpp.llama_log_set(listen, ctypes.c_void_p(0))
    lines = [f"# What llama.cpp (llama-cpp-python {llama_cpp.__version__}) plans; made by tools/golden/mixes.py.\n"]
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            architecture, layers, heads, kv_heads, experts, columns, tied = model
            path = pathlib.Path(folder) / "model.gguf"
            write_model(path, *model)
            lines.append(f"\nmodel {architecture} layers {layers} heads {heads} kv {kv_heads} experts {experts} columns {columns} "
                         f"output {'tied' if tied else 'own'}\n")
            for mix, file_type in MIXES.items():
                for weighted in (False, True):
                    types = planned_types(path, file_type, weighted)
                    roles = []
                    for role in ROLES:
                        names = [f"{role}.weight"] if role in ("token_embd", "output") else [f"blk.{i}.{role}.weight" for i in range(layers)]
                        found = [types[name] for name in names if name in types]
                        if found:
                            roles.append(f"{role} {run_lengths(found)}")
                    text = " | ".join(roles) + "\n"
                    if weighted and lines[-1] == f"{mix}: {text}":
                        lines[-1] = f"{mix} either: {text}"
                    else:
                        lines.append(f"{mix}{' weighted' if weighted else ''}: {text}")
            print(lines[-1][:100], flush=True)
    pathlib.Path(args.out).write_text("".join(lines))


if __name__ == "__main__":
    main()
