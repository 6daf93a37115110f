"""A name, told in one turn and asked for in a later one; or asked for and never told."""
import random

from .chat import Exchange
from .noise import framed, punctuated
from .words import Pool

TELL = ["My name is {n}.", "I am {n}.", "I'm {n}.", "Call me {n}.", "Hello, my name is {n}.", "Hi, I'm {n}!", "You can call me {n}.",
        "People call me {n}.", "Hi! My name is {n}.", "Please call me {n}.", "The name is {n}.", "Hey, {n} here.", "This is {n}.",
        "Hello, I am {n}.", "My name's {n}.", "They call me {n}.", "I am called {n}.", "Good morning, my name is {n}.",
        "Remember my name: {n}.", "Let me introduce myself: I am {n}.", "Nice to meet you, I'm {n}.", "{n} is my name."]
TELL_UNSEEN = ["Everyone calls me {n}.", "Good evening, I'm {n}.", "My first name is {n}.", "Hello there! {n} is my name."]
ASK = ["What is my name?", "Who am I?", "What's my name?", "Do you remember my name?", "Can you tell me my name?", "Do you know my name?",
       "What did I say my name was?", "Say my name.", "Tell me my name.", "What was my name again?", "How am I called?",
       "What am I called?", "Remember me? What is my name?", "And what is my name?", "Which name did I give you?", "Do you know who I am?"]
ASK_UNSEEN = ["Do you still remember my name?", "Please repeat my name.", "What was my name?", "Can you say my name?"]
TELL_ZH = ["我叫{n}。", "我的名字是{n}。", "你好，我叫{n}。", "我是{n}。", "请叫我{n}。", "大家叫我{n}。", "你好，我是{n}。", "我的名字叫{n}。",
           "叫我{n}吧。", "嗨，我叫{n}！", "请记住，我叫{n}。", "认识一下，我是{n}。", "早上好，我叫{n}。", "你可以叫我{n}。"]
TELL_ZH_UNSEEN = ["别人都叫我{n}。", "您好，我的名字是{n}。", "晚上好，我是{n}。"]
ASK_ZH = ["我叫什么？", "我叫什么名字？", "我的名字是什么？", "你记得我的名字吗？", "我是谁？", "你知道我叫什么吗？", "请说出我的名字。", "我刚才说我叫什么？",
          "告诉我我的名字。", "你还记得我是谁吗？", "你知道我是谁吗？", "说说我的名字。"]
ASK_ZH_UNSEEN = ["你还记得我叫什么名字吗？", "我的名字叫什么？", "能说一下我叫什么吗？"]


def tell_exchange(rng: random.Random, pool: Pool, chinese: bool) -> Exchange:
    name = pool.name_zh(rng) if chinese and rng.random() < 0.8 else pool.name(rng)
    told = pool.wording(rng, TELL_ZH, TELL_ZH_UNSEEN) if chinese else pool.wording(rng, TELL, TELL_UNSEEN)
    answer = f"很高兴认识你，{name}！" if chinese else f"Nice to meet you, {name}!"
    text = told.format(n=name)
    if rng.random() < 0.15:
        text = text.rstrip(".。!！")
    return Exchange(text, answer, "", {"name": name, "chinese": chinese})


def ask_exchange(rng: random.Random, pool: Pool, chinese: bool, name: str | None) -> Exchange:
    asked = pool.wording(rng, ASK_ZH, ASK_ZH_UNSEEN) if chinese else pool.wording(rng, ASK, ASK_UNSEEN)
    text = punctuated(rng, framed(rng, asked) if pool.training else asked)
    if name is None:
        answer = "你还没有告诉我你的名字。" if chinese else "You have not told me your name."
    else:
        answer = f"你叫{name}。" if chinese else f"Your name is {name}."
    return Exchange(text, answer, "", {"name": name})
