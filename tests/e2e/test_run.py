"""quern run without a terminal: results on stdout, everything else on stderr, exit codes."""

import os
import re
import signal
import subprocess
import time

COUNT = 'In the word "strawberry", how many R\'s are there?'


def test_the_built_in_model_thinks_and_answers(quern):
    done = quern.run("run", COUNT)
    assert done.returncode == 0
    assert re.fullmatch(r"Thinking\.\.\.\n.+\n\.\.\.done thinking\.\n\n.+\n", done.stdout, re.S), done.stdout
    assert done.stderr == ""


def test_thinking_can_be_hidden_and_turned_off(quern):
    shown = quern.run("run", COUNT).stdout
    hidden = quern.run("run", COUNT, "--hidethinking").stdout
    assert shown.endswith(hidden) and "Thinking" not in hidden and hidden.strip()
    off = quern.run("run", "--think=false", COUNT)
    assert off.returncode == 0 and "Thinking..." not in off.stdout


def test_the_same_question_gets_the_same_answer_with_any_number_of_threads(quern):
    answers = {quern.run("run", COUNT, "--threads", n, "--temp", "0.7", "--seed", "5").stdout for n in ("1", "2")}
    assert len(answers) == 1


def test_piped_text_comes_before_the_words(quern):
    piped = quern.run("run", "quern-mini", "how many R's are there?", stdin='In the word "berry",')
    given = quern.run("run", "quern-mini", "In the word \"berry\", how many R's are there?")
    assert piped.returncode == 0
    assert piped.stdout == given.stdout


def test_a_first_word_that_is_no_model_begins_the_prompt(quern):
    assert quern.run("run", "What", "is", "1", "+", "2?").stdout == quern.run("run", "quern-mini", "What is 1 + 2?").stdout


def test_a_gguf_file_answers(quern, stories):
    done = quern.run("run", stories, "Once upon a time", "--temp", "0", "-n", "20")
    assert done.returncode == 0
    assert done.stdout.startswith(", there was a little girl named Lily.")


def test_statistics_go_to_stderr_in_the_words_people_know(quern):
    done = quern.run("run", COUNT, "--verbose")
    labels = [line[:22].rstrip() for line in done.stderr.splitlines()]
    assert labels == ["total duration:", "load duration:", "prompt eval count:", "prompt eval duration:", "prompt eval rate:", "eval count:",
                      "eval duration:", "eval rate:", "time to first token:"]
    assert re.search(r"^prompt eval count:    \d+ token\(s\)$", done.stderr, re.M)
    assert re.search(r"^eval rate:            \d+\.\d\d tokens/s$", done.stderr, re.M)
    assert re.search(r"^total duration:       (\d+h)?(\d+m)?\d+(\.\d+)?(s|ms|µs)$", done.stderr, re.M)


def test_a_stop_text_is_not_shown(quern, stories):
    whole = quern.run("run", stories, "Once upon a time", "--temp", "0", "-n", "40").stdout
    cut = quern.run("run", stories, "Once upon a time", "--temp", "0", "-n", "40", "--stop", "little girl").stdout
    assert cut.rstrip("\n") == whole[: whole.index("little girl")]


def test_a_prompt_longer_than_the_window_is_refused_with_the_numbers(quern):
    done = quern.run("run", "--ctx", "64", "word " * 200)
    assert done.returncode == 2
    assert re.search(r"Error: .*at most 63\b", done.stderr), done.stderr
    assert done.stdout == ""


def test_a_full_window_ends_the_reply_and_says_so(quern, stories):
    done = quern.run("run", stories, "Once upon a time", "--ctx", "32", "--ignore-eos")
    assert done.returncode == 0
    assert "the window of 32 tokens is full" in done.stderr


def test_a_window_beyond_the_memory_is_refused_before_loading(quern, stories):
    began = time.monotonic()
    done = quern.run("run", stories, "--ctx", "2000000000", "hello")
    assert done.returncode == 1
    assert "GiB needed" in done.stderr and "available" in done.stderr and "--ctx" in done.stderr, done.stderr
    assert time.monotonic() - began < 10


def test_bad_files_get_one_line_and_exit_2(quern, tmp_path, stories):
    whole = open(stories, "rb").read()
    cases = {"empty.gguf": b"", "text.gguf": b"not a model at all", "cut.gguf": whole[: len(whole) // 2], "magic.gguf": b"GGUX" + whole[4:]}
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        done = quern.run("run", f"./{name}", "hello")
        assert done.returncode == 2, (name, done.stderr)
        assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, (name, done.stderr)
        assert done.stdout == ""


def test_a_missing_file_exits_1_and_is_named(quern):
    done = quern.run("run", "./nothing.gguf", "hello")
    assert done.returncode == 1
    assert "nothing.gguf" in done.stderr


def test_wrong_usage_exits_2_and_points_to_the_help(quern):
    done = quern.run("run", "--tmep", "0", "hello")
    assert done.returncode == 2
    assert "did you mean --temp?" in done.stderr and "See 'quern run --help'" in done.stderr


def test_a_first_name_in_the_manner_of_stores_is_not_taken_for_a_prompt(quern):
    done = quern.run("run", "qwen3:8b", "hello")
    assert done.returncode == 1
    assert "qwen3:8b" in done.stderr


def test_output_to_a_file_is_bare_text(quern):
    done = quern.run("run", COUNT, env={"CLICOLOR_FORCE": ""})
    assert "\x1b" not in done.stdout
    forced = quern.run("run", COUNT, env={"CLICOLOR_FORCE": "1"})
    assert "\x1b[2m" in forced.stdout
    assert "\x1b" not in quern.run("--color=never", "run", COUNT, env={"CLICOLOR_FORCE": "1"}).stdout


def test_bytes_that_are_no_text_are_no_crash(quern):
    assert quern.run("run", b"\xff\xfe Hello \xe4").returncode == 0
    assert quern.run("run", "--raw", "-n", "3", b"Hello \xe4").returncode == 0


def test_ctrl_c_ends_a_single_answer_with_130(quern):
    process = subprocess.Popen([quern.program, "run", "--ctx", "60000", "--ignore-eos", "hello"], env=quern.env, cwd=quern.home,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.read(process.stdout.fileno(), 1)  # it has begun
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_broken_pipe_is_no_crash(quern):
    done = quern.run("-c", f"{quern.program} run --ctx 4000 --ignore-eos hello | head -c 5; exit ${{PIPESTATUS[0]}}", program="/bin/bash")
    assert done.returncode in (0, 141)


def test_a_model_of_another_kind_of_chat_template_can_be_given_one(quern, tmp_path):
    (tmp_path / "bad.jinja").write_text("{% for %}")
    done = quern.run("run", "--chat-template-file", "bad.jinja", "hello")
    assert done.returncode == 2 and "chat template" in done.stderr, done.stderr
    (tmp_path / "raise.jinja").write_text("{{ raise_exception('no users here') }}")
    done = quern.run("run", "--chat-template-file", "raise.jinja", "hello")
    assert done.returncode == 2 and "no users here" in done.stderr, done.stderr


def test_perplexity_ends_in_the_line_that_scripts_read(quern, tmp_path, stories):
    (tmp_path / "story.txt").write_text("Once upon a time, there was a little girl named Lily. She loved to play outside in the park. " * 8)
    done = quern.run("perplexity", stories, "-f", "story.txt", "-c", "64")
    assert done.returncode == 0, done.stderr
    match = re.fullmatch(r"Final estimate: PPL = (\d+\.\d{4}) \+/- \d+\.\d{5}\n", done.stdout)
    assert match and 1 < float(match[1]) < 20, done.stdout
    assert quern.run("perplexity", stories, "-f", "missing.txt").returncode == 1
    (tmp_path / "short.txt").write_text("hi")
    assert quern.run("perplexity", stories, "-f", "short.txt").returncode == 2


def test_perplexity_is_what_transformers_gives(quern, tmp_path, stories):
    # Transformers in float32 on the same windows: 1.70353 (252 tokens scored).
    text = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. "
    (tmp_path / "story.txt").write_text(text * 12)
    done = quern.run("perplexity", stories, "-f", "story.txt", "-c", "128", "--kv-type", "f32")
    assert done.stdout.startswith("Final estimate: PPL = 1.7035 +/- "), done.stdout


def test_links_are_made_and_taken_away_and_never_over_other_files(quern, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    assert quern.run("link", "bin").returncode == 0
    assert (folder / "llama-cli").is_symlink()
    assert "quern run" in quern.run("--help", program=folder / "llama-cli").stdout
    assert quern.run("link", "bin").returncode == 0
    assert quern.run("link", "bin", "--remove").returncode == 0
    assert not (folder / "llama-cli").exists()
    (folder / "llama-cli").write_text("someone else's")
    assert quern.run("link", "bin").returncode == 1
    assert (folder / "llama-cli").read_text() == "someone else's"
