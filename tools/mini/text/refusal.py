"""Everything else: "I am too small to know that."

The model must learn a default, not a list, so the questions are made from many patterns over topics and random words.
"""
import random

from .chat import Exchange
from .noise import framed, punctuated, slipped
from .words import CITIES, CITIES_ZH, Pool

ANSWER = "I am too small to know that."
ANSWER_ZH = "我太小了，不知道这个。"

COUNTRIES = """France Germany Spain Italy Japan China India Brazil Canada Mexico Egypt Kenya Peru Chile Norway Sweden Finland Poland Greece Turkey
Portugal Ireland Austria Hungary Denmark Belgium Iceland Nepal Vietnam Thailand Cuba Ghana Morocco Ukraine Australia""".split()
PEOPLE = """Einstein Newton Mozart Beethoven Shakespeare Darwin Galileo Cleopatra Napoleon Confucius Aristotle Plato Gandhi Columbus Curie Bach Goethe
Picasso Rembrandt Michelangelo Tolstoy Dickens Archimedes Euclid Gauss Turing Kepler Homer Dante Caesar""".split()
TOPICS = """gravity|photosynthesis|the moon|the sun|black holes|the stock market|quantum physics|the French Revolution|the Roman Empire|climate change|
evolution|democracy|inflation|the internet|electricity|vaccines|volcanoes|earthquakes|the Great Wall|dinosaurs|chess|football|cooking|jazz|poetry|
philosophy|algebra|calculus|the Renaissance|the human heart|the ocean|bees|whales|penguins|coffee|chocolate|bread|pasta|cheese|yoga|the weather on Mars|
machine learning|neural networks|compilers|databases|sorting algorithms|recursion|Python|Rust|JavaScript|C++|linear regression|prime numbers|the Bible|
ancient Egypt|the Cold War|World War II|the Olympics|taxes|law|insurance|mortgages|marriage|friendship|dreams|time travel|aliens|ghosts|art|music theory|
the periodic table|atoms|DNA|bacteria|blood pressure|headaches|a sore throat|back pain|sleep|vitamins|running|gardening|roses|cats|dogs|horses|tigers""".replace("\n", "").split("|")
TOPICS_ZH = """引力|光合作用|月亮|太阳|黑洞|股市|量子物理|法国大革命|罗马帝国|气候变化|进化论|民主|通货膨胀|互联网|电|疫苗|火山|地震|长城|恐龙|象棋|足球|烹饪|爵士乐|
诗歌|哲学|代数|微积分|文艺复兴|心脏|海洋|蜜蜂|鲸鱼|企鹅|咖啡|巧克力|面包|瑜伽|机器学习|神经网络|编译器|数据库|排序算法|递归|线性回归|质数|古埃及|冷战|第二次世界大战|
奥运会|税收|法律|保险|婚姻|友谊|梦|时间旅行|外星人|艺术|元素周期表|原子|基因|细菌|血压|头痛|睡眠|维生素|跑步|园艺|猫|狗|马|老虎|红楼梦|孔子|唐朝|秦始皇|春节|太极""".replace("\n", "").split("|")

# {c} country, {p} person, {t} topic, {w} {w2} any words, {n} a number, {i} city
OPEN = [
    "What is the capital of {c}?", "Where is {c}?", "How many people live in {c}?", "What language do they speak in {c}?", "Who rules {c}?",
    "What is the flag of {c}?", "When did {c} become a country?", "What should I see in {c}?", "Tell me about {c}.", "Is {c} bigger than {c2}?",
    "What is {i} famous for?", "How old is {i}?", "Which river flows through {i}?", "What is the population of {i}?", "Where is {i}?",
    "Who was {p}?", "When was {p} born?", "When did {p} die?", "What did {p} discover?", "Tell me about {p}.", "What is {p} known for?",
    "Where did {p} live?", "Did {p} know {p2}?", "Who was older, {p} or {p2}?", "Write about {p}.", "What would {p} say about {t}?",
    "What is {t}?", "Explain {t}.", "Explain {t} to me.", "How does {t} work?", "Tell me about {t}.", "Tell me something about {t}.",
    "Why is {t} important?", "Who invented {t}?", "What is the history of {t}?", "Write a poem about {t}.", "Write a story about {t}.",
    "Write an essay about {t}.", "Give me three facts about {t}.", "What do you know about {t}?", "Can you explain {t}?", "Teach me {t}.",
    "How do I learn {t}?", "What is the best book about {t}?", "What do you think about {t}?", "Do you like {t}?", "Is {t} dangerous?",
    "Where can I learn more about {t}?", "Summarize {t}.", "Tell me a joke about {t}.", "What is the difference between {t} and {t2}?",
    "Why do people like {t}?", "I am interested in {t}.", "Let us talk about {t}.", "I have a question about {t}.", "Give me a quiz on {t}.",
    "What is a {w}?", "What does {w} mean?", "Define {w}.", "What is the meaning of {w}?", "Explain the word {w}.", "Where can I buy a {w}?",
    "How do you make a {w}?", "Why is the {w} so {w2}?", "Is a {w} the same as a {w2}?", "Who has the biggest {w}?", "What colour is a {w}?",
    "What rhymes with {w}?", "Write a sentence with {w}.", "Use {w} in a sentence.", "Give me a synonym for {w}.", "How heavy is a {w}?",
    "What is the opposite of {w}?", "Can a {w} {w2}?", "My {w} is {w2}.", "The {w} {w2} the {w3}.", "I saw a {w} near the {w2}.",
    "I lost my {w}.", "{w} {w2} {w3}", "{w}", "{w}?", "{w} {w2}", "The {w} is {w2}.", "Yesterday I bought a {w}.", "I like {w} and {w2}.",
    "Write a program that sorts {w}.", "Write a Python function for {w}.", "Fix my code: {w}({w2})", "How do I print {w} in C?", "Write code for {t}.",
    "Why does my program crash?", "How do I install {w}?", "How do I cook {w}?", "Give me a recipe for {w}.", "What can I eat with {w}?",
    "What is {n} times {n2}?", "What is {n} divided by {n2}?", "What is the square root of {n}?", "{n} * {n2}", "Is {n} a prime number?",
    "What happened in {n}?", "Who was king in {n}?", "Convert {n} miles to kilometres.", "Solve x + {w} = {n}.", "How many days are in {n} weeks?",
    "Who won the match yesterday?", "Who is the president?", "What is the tallest mountain?", "What is the longest river?", "How far away is the moon?",
    "Why is the sky blue?", "What is the speed of light?", "How many planets are there?", "Who wrote Hamlet?", "What is the meaning of life?",
    "Tell me a joke.", "Tell me a story.", "Sing a song.", "Write a poem.", "What should I eat tonight?", "Recommend a film.", "Which car should I buy?",
    "How do I lose weight?", "How can I get rich?", "What is love?", "Give me advice.", "Summarize this text.", "What is my horoscope?",
    "How do I fix my {w}?", "Draw a {w}.", "Describe a {w}.", "Compare {w} and {w2}.", "List five {w} things.", "Plan a trip to {c}.",
    "Should I visit {c} or {c2}?", "What do people eat in {c}?", "How do I get from the {w} to the {w2}?", "Name three {w}.", "Spell check: {w} {w2}.",
    "I feel {w} today.", "Why am I so {w}?", "What would you do with a {w}?", "Imagine you are a {w}.", "Pretend to be {p}.", "Act like a {w}.",
]
OPEN_UNSEEN = [
    "What currency is used in {c}?", "Who founded {i}?", "What made {p} so famous?", "Give a short introduction to {t}.", "How did {t} begin?",
    "Would you recommend {t} for children?", "What kind of thing is a {w}?", "Could you describe how a {w} looks?", "How long does a {w} last?",
    "What is {n} multiplied by {n2}?", "Who painted the Mona Lisa?", "When does winter start?", "How do airplanes fly?", "Write a letter to my {w}.",
    "Does {c} have a king?", "I cannot find the {w}.", "What are the rules of {t}?", "Is it true that {p} met {p2}?", "Show me how to build a {w}.",
    "What causes {t}?",
]
OPEN_ZH = [
    "{z}是什么？", "什么是{z}？", "请解释{z}。", "解释一下{z}。", "{z}是怎么回事？", "给我讲讲{z}。", "说说{z}。", "介绍一下{z}。", "为什么{z}很重要？", "谁发明了{z}？",
    "写一首关于{z}的诗。", "写一篇关于{z}的文章。", "讲一个关于{z}的故事。", "你对{z}了解多少？", "怎么学{z}？", "{z}的历史是什么？", "你喜欢{z}吗？", "你怎么看{z}？",
    "{z}有危险吗？", "{z}和{z2}有什么区别？", "哪本关于{z}的书最好？", "我对{z}感兴趣。", "我们聊聊{z}吧。", "讲三个关于{z}的事实。", "教我{z}。", "总结一下{z}。",
    "{i}有什么好玩的？", "{i}在哪里？", "{i}有多少人口？", "{i}有什么好吃的？", "{i}的历史有多久？", "法国的首都是哪里？", "日本的首都是哪里？", "中国有多少人？", "美国总统是谁？",
    "世界上最高的山是什么？", "最长的河是哪条？", "月亮离我们有多远？", "天为什么是蓝的？", "光速是多少？", "有几个行星？", "人生的意义是什么？", "讲个笑话。", "讲个故事。",
    "唱首歌。", "写一首诗。", "今晚吃什么？", "推荐一部电影。", "怎么减肥？", "怎么赚钱？", "爱是什么？", "给我一点建议。", "谁赢了比赛？", "怎么做{v}？", "{v}是什么意思？",
    "{v}多重？", "哪里能买到{v}？", "我丢了{v}。", "我喜欢{v}。", "{v}", "{v}{v2}", "我昨天买了{v}。", "用{v}造句。", "{v}是什么颜色？", "{n}乘以{n2}等于多少？", "{n}除以{n2}是多少？",
    "{n}的平方根是多少？", "{n}年发生了什么？", "写一个{z}的程序。", "我的程序为什么出错？", "怎么安装{v}？", "画一个{v}。", "描述一下{v}。", "我今天很累。", "帮我写作业。",
    "李白是谁？", "谁写了红楼梦？", "牛顿发现了什么？", "爱因斯坦是哪国人？", "长城有多长？", "怎么包饺子？", "哪个国家最大？", "{v}和{v2}哪个好？",
]
OPEN_ZH_UNSEEN = [
    "{z}有什么用？", "请简单介绍{z}。", "德国的首都是哪里？", "谁画了蒙娜丽莎？", "冬天什么时候开始？", "飞机为什么会飞？", "能描述一下{v}的样子吗？", "{i}有什么特产？", "{z}是怎么开始的？",
    "写一封关于{v}的信。", "你推荐{z}吗？", "我找不到{v}了。",
]


def refusal_exchange(rng: random.Random, pool: Pool) -> Exchange:
    chinese = rng.random() < 0.35
    asked = pool.wording(rng, OPEN_ZH, OPEN_ZH_UNSEEN) if chinese else pool.wording(rng, OPEN, OPEN_UNSEEN)
    text = asked.format(c=rng.choice(COUNTRIES), c2=rng.choice(COUNTRIES), p=rng.choice(PEOPLE), p2=rng.choice(PEOPLE), t=_topic(rng, pool),
                        t2=rng.choice(TOPICS), w=pool.word(rng), w2=pool.word(rng), w3=pool.word(rng), n=rng.randrange(2, 3000), n2=rng.randrange(2, 100),
                        i=rng.choice(CITIES_ZH if chinese else CITIES), z=rng.choice(TOPICS_ZH), z2=rng.choice(TOPICS_ZH),
                        v=pool.value_zh(rng), v2=pool.value_zh(rng))
    text = text[0].upper() + text[1:]
    if pool.training:
        text = slipped(rng, framed(rng, text) if rng.random() < 0.5 else text)
    return Exchange(punctuated(rng, text), ANSWER_ZH if chinese else ANSWER, "", {"answer": ANSWER_ZH if chinese else ANSWER, "chinese": chinese})


def _topic(rng: random.Random, pool: Pool) -> str:
    return rng.choice(TOPICS) if rng.random() < 0.6 else f"{pool.word(rng)} {pool.word(rng)}" if rng.random() < 0.5 else pool.word(rng)
