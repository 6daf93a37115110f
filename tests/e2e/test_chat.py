"""quern run at a terminal: the chat, its commands and its keys."""

import json
import os
import re
import signal
import termios

COUNT = 'In the word "berry", how many R\'s are there?'
ENDLESS = ("--ctx", "60000", "--ignore-eos")  # the model never ends its turn


def chat(quern, *args, **options):
    terminal = quern.terminal("run", *args, **options)
    terminal.prompt()
    return terminal


def test_a_question_is_answered_and_the_prompt_comes_back(quern):
    with chat(quern) as terminal:
        answer = terminal.enter("Hello!")
        assert len(answer.strip().splitlines()) >= 2  # the echo of the line, and words
        terminal.send("\x04")
        assert terminal.end() == 0


def messages(quern, name):
    saved = json.loads((quern.home / "state" / "quern" / "chats" / f"{name}.json").read_text())
    return [(message["role"], message["content"]) for message in saved["messages"]]


def prompt_tokens(answer):
    return int(re.search(r"prompt eval count:\s+(\d+)", answer)[1])


def test_the_chat_so_far_is_part_of_the_next_prompt(quern):
    with chat(quern, "--verbose") as terminal:
        first = prompt_tokens(terminal.enter("Hi, my name is Tom."))
        second = prompt_tokens(terminal.enter("Hi, my name is Tom."))
        terminal.enter("/clear")
        third = prompt_tokens(terminal.enter("Hi, my name is Tom."))
        assert second > 2 * first
        assert third == first


def test_thinking_is_dimmed_on_a_terminal_and_plain_without_colours(quern):
    with chat(quern) as terminal:
        terminal.enter(COUNT)
        assert "\x1b[2mThinking...\r\n" in terminal.raw
        assert "...done thinking.\r\n\x1b[0m\r\n" in terminal.raw
    with chat(quern, env={"NO_COLOR": "1"}) as terminal:
        answer = terminal.enter(COUNT)
        assert "Thinking..." in answer
        assert "\x1b[2mThinking" not in terminal.raw


def test_thinking_can_be_hidden(quern):
    with chat(quern, "--hidethinking") as terminal:
        assert "hinking" not in terminal.enter(COUNT)


def test_ctrl_c_stops_the_reply_and_keeps_the_chat(quern):
    with chat(quern, *ENDLESS) as terminal:
        terminal.send("Hello!\r")
        terminal.wait_for("\n")
        while len(terminal.text) - terminal._seen < 20:
            terminal._read(0.1)
        terminal.send("\x03")
        terminal.prompt()
        terminal.enter("/save kept")
        terminal.send("\x04")
        assert terminal.end() == 0
    saved = json.loads((quern.home / "state" / "quern" / "chats" / "kept.json").read_text())
    assert [message["role"] for message in saved["messages"]] == ["user", "assistant"]
    assert saved["messages"][0]["content"] == "Hello!"


def test_a_signal_to_end_sets_the_terminal_back(quern):
    for args in ((), ENDLESS):
        with chat(quern, *args) as terminal:
            before = termios.tcgetattr(terminal.fd)[3]
            if args:
                terminal.send("Hello!\r")
                terminal.wait_for("\n")
                while len(terminal.text) - terminal._seen < 20:
                    terminal._read(0.1)
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.end() == 143
            assert args or not before & termios.ICANON
            assert "\x1b[?2004l" in terminal.raw[terminal.raw.rindex("\x1b[?2004h") :]


def test_ctrl_c_at_the_prompt_clears_the_line_or_says_how_to_leave(quern):
    with chat(quern) as terminal:
        terminal.send("unwanted")
        terminal.wait_for("unwanted")
        terminal.send("\x03")
        assert "Use Ctrl + d" not in terminal.prompt()
        terminal.send("\x03")
        assert "Use Ctrl + d or /bye to exit." in terminal.prompt()
        assert "Unknown command" not in terminal.enter("/set quiet")


def test_three_quotes_hold_lines_together(quern):
    with chat(quern) as terminal:
        terminal.send('"""What is\r')
        terminal.wait_for("... ")
        terminal.send('2 + 2?"""\r')
        terminal.prompt()
        terminal.enter("/save lines")
    saved = json.loads((quern.home / "state" / "quern" / "chats" / "lines.json").read_text())
    assert saved["messages"][0]["content"] == "What is\n2 + 2?"


def test_pasted_lines_are_one_message(quern):
    with chat(quern) as terminal:
        terminal.send("\x1b[200~first line\nsecond\x01 line\x1b[201~")
        terminal.wait_for("second line")
        terminal.send("\r")
        terminal.prompt()
        terminal.enter("/save pasted")
    saved = json.loads((quern.home / "state" / "quern" / "chats" / "pasted.json").read_text())
    assert saved["messages"][0]["content"] == "first line\nsecond line"


def test_a_chat_longer_than_the_window_leaves_out_its_oldest_messages(quern):
    with chat(quern, "--ctx", "128", "--think=false") as terminal:
        answers = [terminal.enter(f"Hi, my name is Tom and I am number {number}.") for number in range(8)]
        assert any("the oldest 2 messages are left out" in answer for answer in answers)
        assert not any("Error" in answer for answer in answers)


def test_characters_of_any_width_can_be_edited(quern):
    with chat(quern) as terminal:
        terminal.send("你好吗é\x7f\x7fX\x01>")  # delete é and 吗, add X, then > at the beginning
        terminal.send("\r")
        terminal.prompt()
        terminal.enter("/save edited")
    saved = json.loads((quern.home / "state" / "quern" / "chats" / "edited.json").read_text())
    assert saved["messages"][0]["content"] == ">你好X"


def test_set_and_show_use_the_words_people_know(quern):
    with chat(quern) as terminal:
        assert "Set parameter 'temperature' to '0.5'" in terminal.enter("/set parameter temperature 0.5")
        assert "Couldn't set parameter: \"invalid float value [hot]\"" in terminal.enter("/set parameter temperature hot")
        assert "Couldn't set parameter: \"unknown parameter 'warmth'\"" in terminal.enter("/set parameter warmth 1")
        shown = terminal.enter("/show parameters")
        assert "Model defined parameters:" in shown and "User defined parameters:" in shown and "0.5" in shown
        assert "No system message was specified for this model." in terminal.enter("/show system")
        assert "Set system message." in terminal.enter("/set system Be brief.")
        assert "Be brief." in terminal.enter("/show system")
        for word in ("wordwrap", "nowordwrap", "verbose", "quiet", "history", "nohistory", "think", "nothink"):
            assert f"Set '{word}' mode." in terminal.enter(f"/set {word}")
        assert "Set 'think' mode to 'high'." in terminal.enter("/set think high")
        assert "architecture        qwen2" in terminal.enter("/show info")
        assert "<|im_start|>" in terminal.enter("/show template")
        assert "apache-2.0" in terminal.enter("/show license")
        assert "FROM quern-mini" in terminal.enter("/show modelfile")
        assert "Unknown command '/nonsense'. Type /? for help" in terminal.enter("/nonsense")
        assert "/set" in terminal.enter("/?")
        terminal.send("/bye\r")
        assert terminal.end() == 0


def test_a_saved_chat_can_be_loaded_again(quern):
    with chat(quern) as terminal:
        terminal.enter("Hi, my name is Tom.")
        terminal.enter("/set parameter seed 7")
        terminal.enter("/set system Be brief.")
        assert "Created new model 'trip'" in terminal.enter("/save trip")
        assert "Cleared session context" in terminal.enter("/clear")
        assert "Loading model 'trip'" in terminal.enter("/load trip")
        terminal.enter("/save again")
        assert "Couldn't find model 'nowhere'" in terminal.enter("/load nowhere")
        terminal.send("/exit\r")
        assert terminal.end() == 0
    assert messages(quern, "again") == messages(quern, "trip")
    assert messages(quern, "trip")[0] == ("user", "Hi, my name is Tom.")
    with chat(quern, "trip") as terminal:
        terminal.enter("/save once-more")
        assert "Be brief." in terminal.enter("/show system")
        assert re.search(r"seed +7\n", terminal.enter("/show parameters"))
    assert messages(quern, "once-more") == messages(quern, "trip")


def test_another_model_can_be_loaded(quern, stories):
    with chat(quern) as terminal:
        assert "Loading model" in terminal.enter(f"/load {stories}")
        assert "architecture        llama" in terminal.enter("/show info")
        terminal.enter("/load ./missing.gguf")
        assert "architecture        llama" in terminal.enter("/show info")


def test_statistics_come_after_each_reply_on_request(quern):
    with chat(quern, "--verbose") as terminal:
        assert "eval rate:" in terminal.enter("Hello!")
        terminal.enter("/set quiet")
        assert "eval rate:" not in terminal.enter("Hello!")


def test_lines_typed_come_back_with_the_arrow_key(quern):
    with chat(quern) as terminal:
        terminal.enter("/set quiet")
        terminal.send("\x1b[A")
        terminal.wait_for("/set quiet")
        terminal.send("\r")
        terminal.prompt()
        terminal.send("\x04")
        terminal.end()
    assert (quern.home / "state" / "quern" / "history").read_text() == "/set quiet\n"
    with chat(quern) as terminal:
        terminal.send("\x1b[A")
        terminal.wait_for("/set quiet")


def test_no_history_is_kept_where_it_is_not_wanted(quern):
    with chat(quern, env={"OLLAMA_NOHISTORY": "1"}) as terminal:
        terminal.enter("/set quiet")
        terminal.send("\x04")
        terminal.end()
    assert not (quern.home / "state" / "quern" / "history").exists()


def test_long_lines_break_between_words(quern, stories):
    with chat(quern, stories, "--temp", "0", "-n", "120", columns=40) as terminal:
        answer = terminal.enter("Once upon a time", 120)
        lines = answer.split("\n", 1)[1].splitlines()
        assert len(lines) > 3
        assert "\x1b[K" in terminal.raw


def test_a_bare_locale_still_takes_utf_8(quern):
    with chat(quern, env={"LC_ALL": "C", "LANG": "C"}) as terminal:
        terminal.send("你好\r")
        terminal.prompt()
        terminal.enter("/save plain")
    saved = json.loads((quern.home / "state" / "quern" / "chats" / "plain.json").read_text())
    assert saved["messages"][0]["content"] == "你好"
