"""quern quantize and quern split, and the tools they stand in for, on the model inside."""

import os
import pathlib
import signal
import subprocess
import time

import gguf
import numpy as np
import pytest

MINI = str(pathlib.Path(__file__).resolve().parents[2] / "models" / "quern-mini.gguf")


def tensors(path):
    return {t.name: t for t in gguf.GGUFReader(path).tensors}


def metadata(path):
    """By key: the raw bytes of the value."""
    reader = gguf.GGUFReader(path)
    return {f.name: b"".join(bytes(p) for p in f.parts) for f in reader.fields.values() if not f.name.startswith("GGUF.")}


def contents(folder):
    return sorted(p.name for p in pathlib.Path(folder).iterdir())


def random_model(path, columns=512, rows=4096, matrices=8, kind=np.float16):
    writer = gguf.GGUFWriter(path, "toy")
    rng = np.random.default_rng(1)
    for i in range(matrices):
        writer.add_tensor(f"blk.{i}.ffn_up.weight", (rng.standard_normal((rows, columns)) * 0.02).astype(kind))
        writer.add_tensor(f"blk.{i}.ffn_norm.weight", np.ones(columns, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_quantized_model_still_counts_letters(quern):
    done = quern.run("quantize", MINI, "q8.gguf", "q8_0")
    assert done.returncode == 0, done.stderr
    answer = quern.run("run", "q8.gguf", "--temp", "0", "--hidethinking", 'In the word "strawberry", how many R\'s are there?')
    assert answer.returncode == 0 and "3" in answer.stdout


def test_types_sizes_and_keys_are_as_asked(quern):
    done = quern.run("quantize", MINI, "out.gguf", "Q4_0", "2", "--output-type", "q8_0", "--tensor-type", "blk.1.attn_v=f16", "--set",
                     "general.name=str:another", "--set", "test.count=int:7")
    assert done.returncode == 0, done.stderr
    path = quern.home / "out.gguf"
    found = tensors(path)
    assert found["token_embd.weight"].tensor_type.name == "Q8_0"  # it is the output matrix too
    assert found["blk.0.ffn_up.weight"].tensor_type.name == "Q4_0"
    assert found["blk.1.attn_v.weight"].tensor_type.name == "F16"
    assert found["blk.0.attn_norm.weight"].tensor_type.name == "F32"
    reader = gguf.GGUFReader(path)
    assert reader.get_field("general.file_type").contents() == 2
    assert reader.get_field("general.quantization_version").contents() == 2
    assert reader.get_field("general.name").contents() == "another"
    assert reader.get_field("test.count").contents() == 7


def test_f32_f16_and_bf16_hold_what_the_package_reads_from_the_source(quern):
    source = tensors(MINI)
    for kind in ("f32", "f16", "bf16"):
        assert quern.run("quantize", MINI, f"{kind}.gguf", kind).returncode == 0
        for name, tensor in tensors(quern.home / f"{kind}.gguf").items():
            expected = gguf.dequantize(source[name].data, source[name].tensor_type)
            if tensor.tensor_type.name != "F32":
                expected = gguf.dequantize(gguf.quantize(expected, tensor.tensor_type), tensor.tensor_type)
            assert np.array_equal(gguf.dequantize(tensor.data, tensor.tensor_type), expected), name


def test_the_bytes_do_not_depend_on_the_threads(quern):
    random_model(quern.home / "in.gguf", matrices=2)
    for threads in ("1", "2"):
        assert quern.run("quantize", "in.gguf", f"{threads}.gguf", "q4_0", threads).returncode == 0
    assert (quern.home / "1.gguf").read_bytes() == (quern.home / "2.gguf").read_bytes()


def test_copy_gives_the_same_file(quern):
    assert quern.run("quantize", MINI, "copy.gguf", "copy").returncode == 0
    assert (quern.home / "copy.gguf").read_bytes() == pathlib.Path(MINI).read_bytes()


def test_a_dry_run_writes_nothing_and_names_every_tensor(quern):
    done = quern.run("quantize", "--dry-run", MINI, "Q4_K_M")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" -> ") == 2 * len(tensors(MINI)) + 1
    assert "'blk.0.ffn_down.weight'" in done.stdout and "Q6_K" in done.stdout
    assert contents(quern.home) == []


def test_out_is_named_after_the_type_where_it_is_left_out(quern):
    (quern.home / "in.gguf").write_bytes(pathlib.Path(MINI).read_bytes())
    done = quern.run("llama-quantize", "in.gguf", "q8_0")
    assert done.returncode == 0, done.stderr
    assert contents(quern.home) == ["ggml-model-Q8_0.gguf", "in.gguf"]


def test_what_is_quantized_already_is_refused_until_allowed(quern):
    assert quern.run("quantize", MINI, "q4.gguf", "q4_0", "--pure").returncode == 0
    refused = quern.run("quantize", "q4.gguf", "q5.gguf", "q5_0", "--pure")
    assert refused.returncode == 2 and "--allow-requantize" in refused.stderr
    assert quern.run("quantize", "q4.gguf", "q5.gguf", "q5_0", "--pure", "--requantize").returncode == 0


def test_the_file_that_is_read_is_not_written_over(quern):
    (quern.home / "in.gguf").write_bytes(pathlib.Path(MINI).read_bytes())
    done = quern.run("quantize", "in.gguf", "./in.gguf", "q4_0")
    assert done.returncode == 2 and "give another name" in done.stderr
    assert (quern.home / "in.gguf").read_bytes() == pathlib.Path(MINI).read_bytes()


def test_no_part_of_what_is_read_is_written_over(quern):
    assert quern.run("split", MINI, "part", "--split-max-tensors", "20").returncode == 0
    before = (quern.home / "part-00002-of-00003.gguf").read_bytes()
    for out, more in (("part-00002-of-00003.gguf", []), ("part", ["--keep-split"])):
        done = quern.run("quantize", "part-00001-of-00003.gguf", out, "q4_0", *more)
        assert done.returncode == 2 and "give another name" in done.stderr
    assert (quern.home / "part-00002-of-00003.gguf").read_bytes() == before


def test_a_terminal_sees_how_far_it_is_and_nothing_of_it_stays(quern):
    # A type that is searched for long enough to be seen at it: others are written at gigabytes a second.
    random_model(quern.home / "in.gguf", matrices=24, rows=2048, kind=np.float32)
    with quern.terminal("quantize", "in.gguf", "out.gguf", "iq3_s", "1") as terminal:
        terminal.wait_for("MB/s  ")
        terminal.wait_for("out.gguf: IQ3_S")
        assert "\r\x1b[Kout.gguf: IQ3_S" in terminal.raw
        assert terminal.end() == 0


def test_types_that_need_an_importance_matrix_say_so(quern):
    done = quern.run("quantize", MINI, "out.gguf", "q2_k_s")
    assert done.returncode == 2 and "--imatrix" in done.stderr
    assert contents(quern.home) == []


def test_an_unknown_type_names_the_known_ones(quern):
    done = quern.run("quantize", MINI, "out.gguf", "q4_k_x")
    assert done.returncode == 2 and "Q4_K_M" in done.stderr


def test_values_that_are_no_numbers_are_refused_by_place(quern):
    writer = gguf.GGUFWriter(quern.home / "in.gguf", "toy")
    data = np.ones((4, 64), np.float32)
    data[2, 5] = np.nan
    writer.add_tensor("blk.0.ffn_up.weight", data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    done = quern.run("quantize", "in.gguf", "out.gguf", "q8_0")
    assert done.returncode == 2 and "row 2, column 5" in done.stderr
    assert contents(quern.home) == ["in.gguf"]


def test_pruned_layers_are_left_out_and_the_others_move_up(quern):
    assert quern.run("quantize", MINI, "out.gguf", "copy", "--without-layers", "1,2").returncode == 0
    before, after = tensors(MINI), tensors(quern.home / "out.gguf")
    assert {n.split(".")[1] for n in after if n.startswith("blk.")} == {"0", "1"}
    assert np.array_equal(after["blk.1.attn_q.weight"].data, before["blk.3.attn_q.weight"].data)
    assert gguf.GGUFReader(quern.home / "out.gguf").get_field("qwen2.block_count").contents() == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_the_old_file_and_no_litter(quern, how):
    random_model(quern.home / "in.gguf", matrices=24, rows=8192, kind=np.float32)
    (quern.home / "out.gguf").write_text("what was there")
    run = subprocess.Popen([quern.program, "quantize", "in.gguf", "out.gguf", "q5_1", "1"], cwd=quern.home, env=quern.env,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not any(name.endswith(".part") for name in contents(quern.home)):
        assert run.poll() is None
        time.sleep(0.001)
    time.sleep(0.02)
    run.send_signal(how)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 128 + how, err
    assert (quern.home / "out.gguf").read_text() == "what was there"
    assert contents(quern.home) == ["in.gguf", "out.gguf"]


def test_a_disk_that_is_too_small_leaves_the_old_file_and_no_litter(quern):
    (quern.home / "out.gguf").write_text("what was there")
    # A limit on the size of files stands in for a full disk: both refuse the write.
    done = subprocess.run(["bash", "-c", f"ulimit -f 1000; trap '' XFSZ; exec {quern.program} quantize {MINI} out.gguf f32"], cwd=quern.home,
                          env=quern.env, capture_output=True, text=True)
    assert done.returncode == 1 and "space left on the disk" in done.stderr
    assert (quern.home / "out.gguf").read_text() == "what was there"
    assert contents(quern.home) == ["out.gguf"]


def test_memory_does_not_grow_with_the_model(quern):
    random_model(quern.home / "in.gguf", matrices=40, rows=8192)  # 336 MB
    program = (f"import resource, subprocess, sys; code = subprocess.call([{str(quern.program)!r}, 'quantize', 'in.gguf', 'out.gguf', 'q4_0']);"
               "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run(["python3", "-c", program], cwd=quern.home, env=quern.env, capture_output=True, text=True)
    code, kilobytes = map(int, done.stdout.split()[-2:])
    assert code == 0 and kilobytes < 100_000


# Splitting.


@pytest.mark.parametrize("limit", [("--split-max-size", "1M"), ("--split-max-tensors", "7"), ("--split-max-size", "1M", "--no-tensor-first-split")])
def test_split_and_merged_is_the_same_file(quern, limit):
    done = quern.run("split", MINI, "part", *limit)
    assert done.returncode == 0, done.stderr
    parts = contents(quern.home)
    assert len(parts) > 1 and parts[0] == f"part-00001-of-{len(parts):05}.gguf"
    assert ("blk" in str(list(tensors(quern.home / parts[0])))) != ("--no-tensor-first-split" in limit)
    whole = {name: tensor for part in parts for name, tensor in tensors(quern.home / part).items()}
    for name, tensor in tensors(MINI).items():
        assert np.array_equal(whole[name].data, tensor.data)
    merged = quern.run("split", "--merge", parts[0], "whole.gguf")
    assert merged.returncode == 0, merged.stderr
    assert (quern.home / "whole.gguf").read_bytes() == pathlib.Path(MINI).read_bytes()
    assert quern.run("run", parts[0], "--temp", "0", "Hello").returncode == 0


def test_the_published_lines_of_llama_gguf_split_run(quern):
    assert quern.run("link", str(quern.home)).returncode == 0
    split = quern.run("--split", "--split-max-size", "2G", MINI, "out", program=quern.home / "llama-gguf-split")
    assert split.returncode == 0, split.stderr
    merged = quern.run("--merge", "out-00001-of-00001.gguf", "whole.gguf", program=quern.home / "llama-gguf-split")
    assert merged.returncode == 0, merged.stderr
    assert metadata(quern.home / "whole.gguf") == metadata(MINI)


def test_what_is_there_is_not_split_over(quern):
    assert quern.run("split", MINI, "part").returncode == 0
    done = quern.run("split", MINI, "part")
    assert done.returncode == 2 and "it is there already" in done.stderr


def test_a_dry_split_prints_the_parts_only(quern):
    done = quern.run("split", MINI, "part", "--split-max-tensors", "10", "--dry-run")
    assert done.returncode == 0 and done.stdout.count(" tensors, ") == 5
    assert contents(quern.home) == []


def test_parts_are_removed_only_when_the_whole_is_equal(quern):
    assert quern.run("split", MINI, "part", "--split-max-tensors", "20").returncode == 0
    assert quern.run("split", "--merge", "--delete-splits", "part-00001-of-00003.gguf", "whole.gguf").returncode == 0
    assert contents(quern.home) == ["whole.gguf"]


def test_a_split_model_may_be_quantized_and_stay_split(quern):
    assert quern.run("split", MINI, "part", "--split-max-tensors", "20").returncode == 0
    assert quern.run("quantize", "part-00001-of-00003.gguf", "one.gguf", "q4_0", "--pure").returncode == 0
    assert quern.run("quantize", "part-00001-of-00003.gguf", "small.gguf", "q4_0", "--pure", "--keep-split").returncode == 0
    assert [n for n in contents(quern.home) if n.startswith("small")] == [f"small-0000{i}-of-00003.gguf" for i in (1, 2, 3)]
    assert "split.count" not in metadata(quern.home / "one.gguf")
    assert quern.run("split", "--merge", "small-00001-of-00003.gguf", "whole.gguf").returncode == 0
    assert (quern.home / "whole.gguf").read_bytes() == (quern.home / "one.gguf").read_bytes()


def test_a_file_that_llama_cpp_has_joined_is_read(quern):
    """It leaves split.count = 0 in what it merges."""
    done = quern.run("quantize", MINI, "joined.gguf", "copy", "--set", "split.count=int:0", "--set", "split.no=int:0")
    assert done.returncode == 0
    assert quern.run("inspect", "joined.gguf").returncode == 0
