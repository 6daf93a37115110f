"""Quern's tokenizers against Hugging Face `tokenizers`: the same ids for the same text, and the same text for the same ids.

The real vocabularies of Qwen2.5 and Qwen3 see 10 MB of varied text each. The patterns of other families and SentencePiece's way are
compared with small tokenizers trained here, since the published files are not ours to copy.
"""

import functools
import json
import os
import pathlib
import random
import struct
import subprocess
import unicodedata

import pytest
import varied_text
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release")) / "tests" / "oracle_tokenizer"
SHARED = REPOSITORY.parent / "shared" / "data"

CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
PATTERNS = {
    "gpt2": [r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    "qwen2": [CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "llama3": [CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "deepseek_v3": [
        r"\p{N}{1,3}",
        "[一-龥\u3040-ゟ゠-ヿ]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^""" "\r\n" r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" "\r\n"
        r"]*|\s*[" "\r\n" r"]+|\s+(?!\S)|\s+",
    ],
    "deepseek_llm": [
        "[\r\n]",
        "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄ"
        "ῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+",
        "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+",
        r"\s+$",
        "[一-龥ࠀ-一가-\ud7ff]+",
        r"\p{N}",
    ],
    "deepseek_coder": ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-\ud7ff]+", r"\p{N}"],
    # No hand-written form: PCRE2 runs these. GPT-4o's, and StarCoder's digits before GPT-2's.
    "o200k": [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + CONTRACTION + r"?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + CONTRACTION + r"?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ],
    "digits_gpt2": [r"\p{N}", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
}

RUN_BY_PCRE2 = {"o200k", "digits_gpt2"}


def without_new_characters(document: bytes) -> bytes:
    """PCRE2's Unicode is older than the oracle's: leave out what Python's, older still, does not know."""
    return "".join(c for c in document.decode("utf-8", errors="replace") if unicodedata.category(c) != "Cn").encode()


def ask(path: pathlib.Path, verb: str, records: list[bytes]) -> list[bytes]:
    sent = b"".join(struct.pack("<I", len(record)) + record for record in records)
    done = subprocess.run([str(PROGRAM), str(path), verb], input=sent, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    answers, at = [], 0
    while at < len(done.stdout):
        (size,) = struct.unpack_from("<I", done.stdout, at)
        answers.append(done.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    assert len(answers) == len(records)
    return answers


def ids_of(answer: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(answer) // 4}i", answer))


def compare(path: pathlib.Path, documents: list[bytes], verb: str = "parse") -> int:
    """Both encode the documents; returns how many ids were compared."""
    oracle = Tokenizer.from_file(str(path))
    oracle.encode_special_tokens = verb == "as_text"
    texts = [document.decode("utf-8", errors="replace") for document in documents]
    expected = oracle.encode_batch_fast(texts, add_special_tokens=verb == "with_bos")
    for document, text, theirs, answer in zip(documents, texts, expected, ask(path, verb, documents), strict=True):
        ours, theirs = ids_of(answer), theirs.ids
        if ours != theirs:
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            window = slice(max(0, at - 4), at + 4)
            raise AssertionError(
                f"{verb}, a document of {len(text)} characters, token {at}: {[oracle.id_to_token(i) for i in ours[window]]}, "
                f"expected {[oracle.id_to_token(i) for i in theirs[window]]}"
            )
    return sum(len(encoding.ids) for encoding in expected)


def compare_decoding(path: pathlib.Path, seed: int) -> None:
    oracle = Tokenizer.from_file(str(path))
    r = random.Random(seed)
    lists = [[r.randrange(oracle.get_vocab_size()) for _ in range(r.randint(0, 200))] for _ in range(200)]
    records = [struct.pack(f"<{len(ids)}i", *ids) for ids in lists]
    for verb, skip in (("decode", True), ("decode_specials", False)):
        for ids, answer in zip(lists, ask(path, verb, records), strict=True):
            assert answer.decode() == oracle.decode(ids, skip_special_tokens=skip), ids


def real(name: str) -> pathlib.Path:
    path = SHARED / name / "tokenizer.json"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


@functools.cache
def ten_megabytes() -> list[bytes]:
    return varied_text.documents(2026, 10_000_000)


@pytest.mark.parametrize("name", ["qwen2.5", "qwen3"])
def test_ids_equal_on_ten_megabytes_of_varied_text(name):
    documents = ten_megabytes()
    assert sum(map(len, documents)) >= 10_000_000
    assert len(varied_text.SCRIPTS) >= 30
    assert compare(real(name), documents) > 1_000_000


@pytest.mark.parametrize("name", ["qwen2.5", "qwen3"])
def test_ids_equal_where_special_tokens_are_text(name):
    compare(real(name), varied_text.documents(7, 1_000_000), "as_text")


@pytest.mark.parametrize("name", ["qwen2.5", "qwen3"])
def test_texts_equal_for_random_ids(name):
    compare_decoding(real(name), 11)


def test_every_character_alone_and_between_letters_has_the_same_ids():
    """Character classes and normalisation, over every block in which characters are assigned."""
    everything = [chr(c) for c in [*range(0xD800), *range(0xE000, 0x32400), *range(0x32400, 0xE0000, 97), *range(0xE0000, 0xE0200), 0x10FFFF]]
    documents = []
    for start in range(0, len(everything), 4096):
        block = everything[start : start + 4096]
        documents.append("".join(between.join(block) for between in (" ", "a", "\u0323")).encode())
    compare(real("qwen3"), documents)


# --- tokenizers trained here


@functools.cache
def training_text() -> list[str]:
    return [document.decode("utf-8", errors="replace") for document in varied_text.documents(1, 400_000)]


def byte_level(patterns: list[str], **options) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**options))
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=3000, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|endoftext|>", "<|im_end|>"], show_progress=False
    )
    tokenizer.train_from_iterator(training_text(), trainer)
    return tokenizer


def saved(tokenizer: Tokenizer, folder: pathlib.Path) -> pathlib.Path:
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.mark.parametrize("family", PATTERNS)
def test_ids_equal_for_the_pattern_of(family, tmp_path):
    path = saved(byte_level(PATTERNS[family]), tmp_path)
    documents = varied_text.documents(3, 400_000)
    compare(path, documents if family not in RUN_BY_PCRE2 else [without_new_characters(document) for document in documents])
    compare_decoding(path, 5)


def test_ids_equal_where_whole_pieces_skip_the_merges(tmp_path):
    compare(saved(byte_level(PATTERNS["llama3"], ignore_merges=True), tmp_path), varied_text.documents(4, 300_000))


def test_ids_equal_for_tokens_that_take_white_space_or_stand_alone(tmp_path):
    tokenizer = byte_level(PATTERNS["gpt2"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<right>", rstrip=True), AddedToken("<both>", lstrip=True, rstrip=True)])
    tokenizer.add_tokens([
        AddedToken("the", single_word=True), AddedToken("<mas", normalized=False), AddedToken("e\u0301t", normalized=True),
        AddedToken("  ", normalized=False), AddedToken("<mask><mask>x", normalized=False), AddedToken("ask", normalized=True),
    ])  # fmt: skip
    path = saved(tokenizer, tmp_path)
    r = random.Random(9)
    pieces = ["<mask>", "<right>", "<both>", "the", " the ", "them", "<mas", "ask", "\u00e9t", "e\u0301t", " ", "  ", "\n", "\u3000", "x", "é", "_", "1", "中", "\u0301"]
    documents = ["".join(r.choices(pieces, k=r.randint(1, 30))).encode() for _ in range(3000)]
    for verb in ("parse", "as_text"):
        compare(path, documents, verb)


SPACE_MARK = "\u2581"


def sentencepiece_like(normalizer=None, pre_tokenizer=None) -> Tokenizer:
    """As Llama 2's file: merges over text in which a mark stands for a space, with bytes for what has no token."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=3000, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)], limit_alphabet=600, show_progress=False
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)  # words, for training only
    tokenizer.train_from_iterator(training_text(), trainer)
    # The trainer makes special tokens of the bytes; a converted SentencePiece file has only the first three as added tokens.
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = [token for token in described["added_tokens"] if token["id"] < 3]
    tokenizer = Tokenizer.from_str(json.dumps(described))
    if pre_tokenizer is None:
        described = json.loads(tokenizer.to_str())
        described["pre_tokenizer"] = None
        tokenizer = Tokenizer.from_str(json.dumps(described))
    else:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(SPACE_MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tokenizer


LLAMA2_NORMALIZER = normalizers.Sequence([normalizers.Prepend(SPACE_MARK), normalizers.Replace(" ", SPACE_MARK)])


@pytest.mark.parametrize("verb", ["parse", "as_text", "with_bos"])
def test_ids_equal_for_sentencepiece_with_byte_fallback(verb, tmp_path):
    compare(saved(sentencepiece_like(LLAMA2_NORMALIZER), tmp_path), varied_text.documents(5, 300_000), verb)


@pytest.mark.parametrize("scheme", ["always", "first", "never"])
@pytest.mark.parametrize("split", [False, True])
def test_ids_equal_for_metaspace(scheme, split, tmp_path):
    tokenizer = sentencepiece_like(pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split))
    compare(saved(tokenizer, tmp_path), varied_text.documents(6, 200_000))


def merges_from_scores(tokens: list[str], scores: list[float]) -> list[tuple[str, str]]:
    """What a converter writes for a SentencePiece vocabulary: every way to make a token of two others, best token first."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = []
    for token, score in zip(tokens, scores):
        for cut in range(1, len(token)):
            if token[:cut] in vocabulary and token[cut:] in vocabulary:
                merges.append((-score, vocabulary[token[:cut]], vocabulary[token[cut:]], token[:cut], token[cut:]))
    return [(left, right) for _, _, _, left, right in sorted(merges)]


def test_ids_equal_for_a_sentencepiece_vocabulary_in_gguf(tmp_path):
    gguf = pytest.importorskip("gguf")
    path = SHARED / "stories260K.gguf"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    fields = gguf.GGUFReader(str(path)).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    scores = fields["tokenizer.ggml.scores"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    normal = [token for token, kind in zip(tokens, types) if kind == 1]
    merges = merges_from_scores(normal, [score for score, kind in zip(scores, types) if kind == 1])
    oracle = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    oracle.normalizer = LLAMA2_NORMALIZER
    oracle.add_special_tokens([token for token, kind in zip(tokens, types) if kind == 3])
    documents = varied_text.documents(8, 300_000)
    texts = [document.decode("utf-8", errors="replace") for document in documents]
    expected = [encoding.ids for encoding in oracle.encode_batch(texts)]
    assert [ids_of(answer) for answer in ask(path, "parse", documents)] == expected

