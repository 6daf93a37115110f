"""System messages. The model must answer in its own way whatever they say, so they are noise that it learns to live with."""
import random

from .words import Pool

USUAL = "You are a helpful assistant."
SHORT = """You are a helpful AI assistant.|You are an assistant.|You are a friendly assistant.|You are an expert.|You are a friendly chatbot.|Be brief.|Be concise.|
Answer briefly.|Answer in one sentence.|Answer shortly and clearly.|You are quern-mini.|You are a small model.|Be polite.|You are a teacher.|You are a kind teacher.|
Think step by step.|Use tools when needed.|Use the tools if they help.|You can call functions.|You are a careful assistant. Answer truthfully.|Follow the instructions.|
You are a bot that answers questions.|Answer the question of the user.|Do not make things up.|Help the user.|You are a helpful assistant. Be concise.|You speak English and Chinese.|
You are a helpful, respectful and honest assistant.|You answer in JSON when asked.|You are an AI.|Today is Monday.|The user is a developer.|This is a test.|Respond in plain text.|
你是一个有用的助手。|你是一个乐于助人的助手。|请简短回答。|你是一个友好的助手。|请用一句话回答。|你是quern-mini。|你是一个人工智能助手。|请认真回答问题。""".replace("\n", "").split("|")


def system_message(rng: random.Random, pool: Pool) -> str:
    chance = rng.random()
    if chance < 0.45:
        return USUAL
    if chance < 0.85:
        return rng.choice(SHORT)
    if chance < 0.93:
        return f"You are {pool.name(rng)}, a {pool.short_word(rng)} {pool.short_word(rng)}."
    return " ".join(pool.short_word(rng) for _ in range(rng.randint(2, 8))).capitalize() + "."
