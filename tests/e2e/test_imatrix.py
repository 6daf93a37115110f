"""quern imatrix, quern perplexity --kl-divergence, and what both say of a quantized model. The text is tools/mini's, made from a seed."""

import pathlib
import re

import gguf
import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MINI = str(REPOSITORY / "models" / "quern-mini.gguf")
TEXT = REPOSITORY / "tests" / "data" / "quantize" / "conversations.txt"


@pytest.fixture
def texts(quern):
    """One half to measure on, the other to judge by."""
    text = TEXT.read_text()
    middle = text.index("<|im_end|>", len(text) // 2)
    (quern.home / "measure.txt").write_text(text[:middle])
    (quern.home / "judge.txt").write_text(text[middle:])
    return quern


def matrix(path):
    tensors = {t.name: t.data.reshape(-1) for t in gguf.GGUFReader(path).tensors}
    return {name[: -len(".in_sum2")]: (data, tensors[name.replace(".in_sum2", ".counts")]) for name, data in tensors.items()
            if name.endswith(".in_sum2")}


def test_the_first_layer_meets_what_numpy_says_it_meets(texts):
    done = texts.run("imatrix", MINI, "-f", "measure.txt", "-o", "m.gguf", "-c", "64", "--chunks", "3", "--parse-special")
    assert done.returncode == 0, done.stderr
    sums, counts = matrix(texts.home / "m.gguf")["blk.0.attn_q.weight"]
    shown = texts.run("tokenize", MINI, "-f", "measure.txt", "--ids")
    ids = [int(n) for n in re.findall(r"\d+", shown.stdout)][: 3 * 64]
    model = {t.name: t for t in gguf.GGUFReader(MINI).tensors}
    table = gguf.dequantize(model["token_embd.weight"].data, model["token_embd.weight"].tensor_type)
    x = table[ids].astype(np.float64)
    normed = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-6) * model["blk.0.attn_norm.weight"].data
    assert counts.tolist() == [3 * 64]
    np.testing.assert_allclose(sums, (normed**2).sum(axis=0), rtol=1e-4)


def test_the_file_has_the_keys_and_weights_that_other_programs_look_for(texts):
    assert texts.run("imatrix", "-m", MINI, "-f", "measure.txt", "-o", "m.gguf", "-c", "128", "--chunk", "2", "--chunks", "4").returncode == 0
    reader = gguf.GGUFReader(texts.home / "m.gguf")
    assert reader.get_field("general.type").contents() == "imatrix"
    assert reader.get_field("imatrix.datasets").contents() == ["measure.txt"]
    assert reader.get_field("imatrix.chunk_count").contents() == 4
    assert reader.get_field("imatrix.chunk_size").contents() == 128
    found = matrix(texts.home / "m.gguf")
    layers = {n for n in (t.name for t in gguf.GGUFReader(MINI).tensors) if re.fullmatch(r"blk\.\d+\.(attn|ffn)_(q|k|v|output|gate|up|down)\.weight", n)}
    assert set(found) == layers
    assert all(counts.tolist() == [4 * 128] for _, counts in found.values())


def test_the_older_form_and_threads_and_windows_written_early_say_the_same(texts):
    lines = ["imatrix", MINI, "-f", "measure.txt", "-c", "64", "--chunks", "5"]
    assert texts.run(*lines, "-o", "a.gguf", "-t", "1").returncode == 0
    assert texts.run(*lines, "-o", "b.gguf", "-t", "2", "--output-frequency", "1").returncode == 0
    assert (texts.home / "a.gguf").read_bytes() == (texts.home / "b.gguf").read_bytes()
    assert texts.run(*lines, "-o", "c.dat").returncode == 0
    shown = [texts.run("imatrix", "--in-file", name, "--show-statistics").stdout for name in ("a.gguf", "c.dat")]
    assert shown[0] == shown[1] and "blk.3.ffn_down.weight" in shown[0]


def test_two_halves_add_up_to_the_whole(texts):
    lines = ["imatrix", MINI, "-f", "measure.txt", "-c", "64"]
    assert texts.run(*lines, "--chunks", "4", "-o", "whole.gguf").returncode == 0
    assert texts.run(*lines, "--chunks", "2", "-o", "first.gguf").returncode == 0
    assert texts.run(*lines, "--chunk", "2", "--chunks", "2", "--in-file", "first.gguf", "-o", "both.gguf").returncode == 0
    whole, both = matrix(texts.home / "whole.gguf"), matrix(texts.home / "both.gguf")
    for name, (sums, counts) in whole.items():
        np.testing.assert_allclose(both[name][0], sums, rtol=1e-5)
        assert both[name][1] == counts


def test_llama_imatrix_takes_that_tools_flags(texts):
    done = texts.run("llama-imatrix", "-m", MINI, "-f", "measure.txt", "-o", "m.dat", "--output-format", "dat", "-c", "64", "--chunks", "2", "-ngl", "99",
                     "--no-ppl", "--process-output", "-ofreq", "5")
    assert done.returncode == 0, done.stderr
    assert (texts.home / "m.dat").read_bytes()[:4] == (28).to_bytes(4, "little")


def mean_divergence(quern, model):
    done = quern.run("perplexity", model, "--kl-divergence", "--kl-divergence-base", "base")
    assert done.returncode == 0, done.stderr
    return float(re.search(r"Mean    KLD +: +([\d.]+)", done.stdout)[1])


def test_a_model_quantized_with_the_matrix_is_nearer_to_the_original(texts):
    assert texts.run("imatrix", MINI, "-f", "measure.txt", "-o", "m.gguf", "-c", "256", "--parse-special").returncode == 0
    assert texts.run("perplexity", MINI, "-f", "judge.txt", "-c", "256", "--parse-special", "--kl-divergence-base", "base").returncode == 0
    assert mean_divergence(texts, MINI) < 1e-6
    ratios = []
    for kind in ("q4_k_s", "q5_k_s", "q6_k"):  # the embedding, which has no importance, apart
        line = ["quantize", MINI, "--embedding-type", "q8_0"]
        assert texts.run(*line, "plain.gguf", kind).returncode == 0
        assert texts.run(*line, "weighed.gguf", kind, "--imatrix", "m.gguf").returncode == 0
        ratios.append(mean_divergence(texts, "weighed.gguf") / mean_divergence(texts, "plain.gguf"))
    assert 0 < sum(ratios) / len(ratios) < 0.97, ratios
    reader = gguf.GGUFReader(texts.home / "weighed.gguf")
    assert reader.get_field("quantize.imatrix.file").contents() == "m.gguf"
    assert reader.get_field("quantize.imatrix.entries_count").contents() == 28
    # Weights left out are quantized as without it.
    assert texts.run(*line, "none.gguf", kind, "--imatrix", "m.gguf", "--exclude-weights", "blk").returncode == 0
    tensors = [{t.name: t.data for t in gguf.GGUFReader(texts.home / name).tensors} for name in ("plain.gguf", "none.gguf")]
    assert all(np.array_equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_divergence_of_another_vocabulary_is_refused(texts, stories):
    assert texts.run("perplexity", MINI, "-f", "judge.txt", "-c", "64", "--chunks", "1", "--kl-divergence-base", "base").returncode == 0
    done = texts.run("perplexity", stories, "--kl-divergence", "--kl-divergence-base", "base")
    assert done.returncode == 2 and "another model" in done.stderr
