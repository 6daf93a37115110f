"""The vocabulary: 256 bytes, one token for each non-ASCII character of the generators, and whole strings of the chat format.

There are no merges of ASCII letters: a word is the same letters everywhere, so copying and spelling are identities on
tokens. The form is GPT-2's byte-level pair encoding behind Qwen2's pre-split, as any Qwen2 tokenizer reads it.
"""
import json
import re
from functools import cached_property
from pathlib import Path

from text.chat import TOOLS_HEAD, TOOLS_TAIL

HERE = Path(__file__).parent
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKS = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>"]
PHRASES = ["system\n", "user\n", "assistant\n", "You are a helpful assistant.", TOOLS_HEAD, TOOLS_TAIL,
           '{"type": "function", "function": {"name": "', '", "description": "', '", "parameters": {"type": "object", "properties": {',
           '{"type": "string"', '{"type": "integer"', '{"type": "number"', '{"type": "boolean"', ', "description": "',
           '}, "required": [', ']}}}', '{"name": "', '", "arguments": {']
PRE_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CHARACTERS = HERE / "characters.txt"   # fixed: a change makes another vocabulary. Spare Latin letters fill it up to 1,408 = 22 x 64 tokens


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each byte: itself where it prints, else the next free code point from 256 on."""
    printable = set(range(33, 127)) | set(range(161, 173)) | set(range(174, 256))
    out, free = [], 256
    for b in range(256):
        if b in printable:
            out.append(chr(b))
        else:
            out.append(chr(free))
            free += 1
    return out


def used_characters() -> set[str]:
    """Every non-ASCII character in the generators' source; characters.txt holds them all, or training would spell them in bytes."""
    return {c for p in (HERE / "text").glob("*.py") for c in p.read_text(encoding="utf-8") if ord(c) > 127}


class Vocab:
    def __init__(self):
        alphabet = byte_alphabet()
        self.added = CONTROL + MARKS + PHRASES
        self.merges = self._merges(CHARACTERS.read_text(encoding="utf-8").replace("\n", ""), alphabet)
        by_code_point = [alphabet[b] for b in sorted(range(256), key=lambda b: (ord(alphabet[b])))]
        self.tokens = by_code_point + [a + b for a, b in self.merges] + self.added
        self.id = {token: i for i, token in enumerate(self.tokens)}
        self._alphabet = alphabet
        self._byte_of = {c: b for b, c in enumerate(alphabet)}
        self._first_added = len(self.tokens) - len(self.added)
        self._split = re.compile("|".join(map(re.escape, sorted(self.added, key=len, reverse=True))))
        self._ids_of_char: dict[str, list[int]] = {}

    @staticmethod
    def _merges(characters: str, alphabet: list[str]) -> list[tuple[str, str]]:
        """byte 1 + byte 2, then that pair + byte 3; nothing longer than a character."""
        out: dict[tuple[str, str], None] = {}
        for c in characters:
            symbols = [alphabet[b] for b in c.encode()]
            left = symbols[0]
            for right in symbols[1:]:
                out[left, right] = None
                left += right
        return sorted(out, key=lambda pair: len(pair[0]))

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def end(self) -> int:
        return self.id["<|im_end|>"]

    def encode(self, text: str) -> list[int]:
        """Added tokens first, leftmost and longest; then characters. Equal to the tokenizer file below on all text."""
        ids, at = [], 0
        for match in self._split.finditer(text):
            self._spell(text[at:match.start()], ids)
            ids.append(self.id[match.group()])
            at = match.end()
        self._spell(text[at:], ids)
        return ids

    def _spell(self, text: str, ids: list[int]) -> None:
        for c in text:
            known = self._ids_of_char.get(c)
            if known is None:
                symbols = [self._alphabet[b] for b in c.encode()]
                for rank in self.merges:   # at most one merge applies at a time, so order is all that matters
                    if len(symbols) > 1 and symbols[0] == rank[0] and symbols[1] == rank[1]:
                        symbols[:2] = [symbols[0] + symbols[1]]
                known = self._ids_of_char[c] = [self.id[s] for s in symbols]
            ids += known

    def decode(self, ids: list[int]) -> str:
        out = bytearray()
        for i in ids:
            token = self.tokens[i]
            out += token.encode() if i >= self._first_added else bytes(self._byte_of[c] for c in token)
        return out.decode(errors="replace")

    def tokenizer_json(self) -> dict:
        added = [{"id": self.id[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": t in CONTROL}
                 for t in self.added]
        split = {"type": "Split", "pattern": {"Regex": PRE_SPLIT}, "behavior": "Isolated", "invert": False}
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": {"type": "NFC"},
                "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]}, "post_processor": byte_level, "decoder": byte_level,
                "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
                          "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                          "vocab": {t: i for t, i in self.id.items() if i < self._first_added}, "merges": [f"{a} {b}" for a, b in self.merges]}}

    def tokenizer_config(self) -> dict:
        decoder = {str(self.id[t]): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": t in CONTROL}
                   for t in self.added}
        return {"add_bos_token": False, "add_prefix_space": False, "added_tokens_decoder": decoder, "bos_token": None, "eos_token": "<|im_end|>",
                "pad_token": "<|endoftext|>", "unk_token": None, "errors": "replace", "model_max_length": 1024, "split_special_tokens": False,
                "tokenizer_class": "Qwen2Tokenizer", "clean_up_tokenization_spaces": False,
                "chat_template": (HERE / "chat_template.jinja").read_text(encoding="utf-8")}

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in (("tokenizer.json", self.tokenizer_json()), ("tokenizer_config.json", self.tokenizer_config())):
            (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
