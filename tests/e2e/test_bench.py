"""quern bench: what it prints can be read by programs, and its figures agree with each other."""

import csv
import io
import json

import pytest

FAST = ["--stream", "16M"]
QUICK = ["-p", "40", "-n", "6", "-r", "3", "-t", "1"]


def rows_of(quern, *args, timeout=120):
    done = quern.run("bench", *args, *FAST, "-o", "json", timeout=timeout)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_figure_agrees_with_the_others(quern):
    rows = rows_of(quern, "quern-mini", *QUICK, "-d", "0,40", "--sequences", "1,3")
    assert [row["test"] for row in rows] == ["pp40", "tg6", "tg6 x 3", "pp40 @ d40", "tg6 @ d40", "tg6 x 3 @ d40"]
    for row in rows:
        assert row["percent_of_limit"] == pytest.approx(100 * row["median_ts"] / row["limit_ts"])
        tokens = row["n_prompt"] + row["n_gen"] * row["n_sequences"]
        seconds = sorted(row["samples_ns"])[1] / 1e9
        assert row["median_ts"] == pytest.approx(tokens / seconds)
        assert row["gb_per_s"] == pytest.approx(row["bytes"] / seconds / 1e9)
        assert row["gop_per_s"] == pytest.approx(row["operations"] / seconds / 1e9)
        assert row["min_ts"] <= row["median_ts"] <= row["max_ts"]
        assert row["model_n_params"] == 2724096 and row["n_threads"] == 1
        by_memory = tokens / (row["bytes"] / row["limit_read_gb_per_s"] / 1e9)
        if row["limit"] == "memory":
            assert row["limit_ts"] == pytest.approx(by_memory)
        else:
            assert row["limit_ts"] <= by_memory


def test_bytes_of_a_token_grow_with_depth_by_what_keys_and_values_take(quern):
    shallow, deep = rows_of(quern, "quern-mini", "-p", "0", "-n", "4", "-r", "1", "-d", "0,64")
    assert deep["bytes"] > shallow["bytes"]
    eight = rows_of(quern, "quern-mini", "-p", "0", "-n", "4", "-r", "1", "-d", "64", "-ctk", "q8_0", "-ctv", "q8_0")[0]
    grown, grown_q8 = deep["bytes"] - shallow["bytes"], eight["bytes"] - shallow["bytes"]
    assert 0 < grown_q8 < grown


def test_a_shape_is_measured_without_a_model_and_leaves_nothing_behind(quern):
    folder = quern.home / "scratch"
    folder.mkdir()
    done = quern.run("bench", "--shape", "qwen2-tiny", "--quant", "Q6_K", *QUICK, *FAST, env={"TMPDIR": str(folder)})
    assert done.returncode == 0, done.stderr
    assert "qwen2-tiny, Q6_K" in done.stdout
    assert list(folder.iterdir()) == []
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_a_shape_that_is_kept_is_a_model_file(quern):
    path = quern.home / "tiny.gguf"
    done = quern.run("bench", "--shape", "qwen2-tiny", "--layers", "3", "--keep", str(path), "-p", "0", "-n", "0")
    assert done.returncode == 0, done.stderr
    facts = json.loads(quern.run("inspect", str(path), "--json").stdout)
    assert facts["name"] == "random weights, shape of qwen2-tiny" and facts["parameters"] > 1444096
    assert rows_of(quern, str(path), "-p", "8", "-n", "0", "-r", "1")[0]["model_type"] == "Q4_K_M"


def test_csv_has_a_line_of_names_and_one_for_each_test(quern):
    done = quern.run("bench", "quern-mini", *QUICK, *FAST, "-o", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["test"] for row in rows] == ["pp40", "tg6"]
    assert len(rows[0]["samples_ts"].split(";")) == 3


def test_markdown_is_a_table(quern):
    lines = quern.run("bench", "quern-mini", *QUICK, *FAST, "-o", "md").stdout.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4 and len({line.count("|") for line in table}) == 1


def test_limits_alone_need_no_model(quern):
    done = quern.run("bench", "--limits", "-t", "1", *FAST, "-o", "json")
    assert done.returncode == 0, done.stderr
    limits = {limit["limit"]: limit["value"] for limit in json.loads(done.stdout)}
    assert limits["read"] > 0 and limits["f32"] > 0


def test_an_instruction_set_can_be_chosen(quern):
    assert rows_of(quern, "quern-mini", *QUICK, "--isa", "scalar")[0]["isa"] == "scalar"


@pytest.mark.parametrize("args, words", [
    ([], "a model or a shape is needed"),
    (["quern-mini", "--shape", "qwen2-tiny"], "leave out one of the two"),
    (["quern-mini", "--keep", "x.gguf"], "--keep: it is for random weights"),
    (["--shape", "qwen2.5-1.5"], "did you mean qwen2.5-1.5b?"),
    (["--shape", "qwen2-tiny", "--quant", "Q4_K_X"], "--quant: type 'Q4_K_X'"),
    (["quern-mini", "-p", "12,x"], "--n-prompt: expected numbers"),
    (["quern-mini", "--stream", "64T"], "--stream: expected a count"),
    (["quern-mini", "-r", "0"], "--repetitions: expected numbers from 1"),
    (["quern-mini", "--isa", "avx9"], "--isa: 'avx9' is no instruction set"),
    (["quern-mini", "-o", "xml"], "--output: 'xml' is no form of output"),
    (["quern-mini", "-ctk", "q9"], "--cache-type-k: 'q9'"),
    (["missing.gguf"], "missing.gguf"),
    (["--shape", "qwen2.5-72b", "--quant", "F32", "--keep", "/proc/x.gguf"], "--quant"),
])
def test_what_is_wrong_is_said(quern, args, words):
    done = quern.run("bench", *args)
    assert done.returncode in (1, 2) and done.stdout == ""
    assert words in done.stderr, done.stderr
