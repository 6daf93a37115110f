"""The command line of llama-cli that guides publish must run unchanged, with a small model in place of the 32B."""

import pathlib

import pytest

PROMPT = "<｜User｜>你好，好久不见，请介绍下你自己。<｜Assistant｜>"
MINI = str(pathlib.Path(__file__).resolve().parents[2] / "models" / "quern-mini.gguf")


def line(layers):
    return ["--model", MINI, "--cache-type-k", "q4_0", "--threads", "64", "--prio", "2", "--temp", "0.6", "--ctx-size", "512", "--seed", "3407",
            "--n-gpu-layers", layers, "-no-cnv", "--prompt", PROMPT]


@pytest.mark.parametrize("layers", ["0", "30", "64"])
def test_the_published_line_runs(quern, layers):
    done = quern.run("llama-cli", *line(layers), "-n", "40")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(PROMPT) and len(done.stdout) > len(PROMPT) + 1
    notes = done.stderr.splitlines()
    assert all(note.startswith("quern: ") for note in notes), notes
    assert sum("--prio" in note for note in notes) == sum("--prio 2: not permitted" in note for note in notes)
    assert sum("--threads 64: " in note for note in notes) == 1
    assert sum("--n-gpu-layers" in note and "no GPU" in note for note in notes) == (0 if layers == "0" else 1)


CACHE_TYPES = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl"]


@pytest.mark.parametrize("keys, values", list(zip(CACHE_TYPES, reversed(CACHE_TYPES))))
def test_keys_and_values_are_kept_in_types_of_their_own(quern, keys, values):
    done = quern.run("llama-cli", "-m", MINI, "-p", "Hello", "-no-cnv", "-n", "8", "--temp", "0", "-c", "512", "-ctk", keys, "-ctv", values)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > len("Hello") + 1


def test_the_same_seed_gives_the_same_text(quern):
    first, second = (quern.run("llama-cli", *line("0"), "-n", "40").stdout for _ in range(2))
    assert first == second


def test_a_prompt_may_be_left_out_of_the_output(quern):
    done = quern.run("llama-cli", *line("0"), "-n", "10", "--no-display-prompt")
    assert done.returncode == 0 and PROMPT not in done.stdout


def test_flags_without_effect_are_reported_once_each(quern):
    done = quern.run("llama-cli", "-m", MINI, "-p", "Hello", "-st", "--flash-attn", "on", "-fa", "--no-host", "--no-host", "--jinja")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len([l for l in lines if "--no-host has no effect: " in l]) == 1
    assert len([l for l in lines if "--jinja has no effect: " in l]) == 1


def test_an_unknown_flag_exits_2_and_names_the_nearest(quern):
    done = quern.run("llama-cli", "-m", MINI, "--n-gpu-layer", "3")
    assert done.returncode == 2
    assert "--n-gpu-layers" in done.stderr


def test_tools_that_are_not_answered_yet_say_so(quern):
    for tool in ("llama-bench", "modelscope"):
        done = quern.run(tool, "--help")
        assert done.returncode == 2 and tool in done.stderr
