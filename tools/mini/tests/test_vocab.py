import json

import pytest

from text.chat import document, pieces
from vocab import CHARACTERS, Vocab, used_characters

ODD_TEXT = ["龘靐 émile ñ 😀 the user\nabc <think> <|im_end|>x", "don't  stop\n\n 12,345 {\"name\": \"x\"", "\u00a0\t\r\n~", "<|im_start|", "systém\n"]


@pytest.fixture(scope="module")
def vocab():
    return Vocab()


def test_every_character_of_the_generators_has_a_token(vocab):
    assert used_characters() <= set(CHARACTERS.read_text(encoding="utf-8"))
    assert all(len(vocab.encode(c)) == 1 for c in used_characters())


def test_the_vocabulary_can_be_cut_into_equal_shards(vocab):
    assert len(vocab) % 64 == 0
    assert len(set(vocab.tokens)) == len(vocab)


def test_decoding_gives_the_text_back(vocab, chats):
    for text in ODD_TEXT + [document(c) for c in chats]:
        assert vocab.decode(vocab.encode(text)) == text


def test_pieces_can_be_encoded_one_by_one(vocab, chats):
    """No token reaches over the border between what is given and what is learnt."""
    for chat in chats:
        assert [i for text, _ in pieces(chat) for i in vocab.encode(text)] == vocab.encode(document(chat))


def test_the_tokenizer_file_gives_the_ids_we_train_on(vocab, chats):
    tokenizers = pytest.importorskip("tokenizers")
    theirs = tokenizers.Tokenizer.from_str(json.dumps(vocab.tokenizer_json()))
    for text in ODD_TEXT + [document(c) for c in chats]:
        assert theirs.encode(text, add_special_tokens=False).ids == vocab.encode(text)
