"""Where the words come from, and which of them are held out.

Invariant: a held-out word, name or number is never seen in training. `held_out` decides by a hash of
the item itself, so the split is the same in every process and needs no list.
"""
import hashlib
import random
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from . import blocked

WORD_LIST = Path("/usr/share/dict/words")  # Debian package wamerican

FIRST_NAMES = """Anna Tom Maria John Emma Paul Lucy Peter Clara Max Nina Oscar Julia Leo Sara Ben Eva Sam Alice Bob Carol David Ella
Frank Grace Henry Ida Jack Karen Liam Mia Noah Olga Pia Quinn Rosa Simon Tina Uma Victor Wendy Xenia Yara Zoe Adam Bella Chris Diana
Erik Fiona George Hanna Ivan Jane Kurt Lena Mark Nora Otto Petra Ralph Sofia Theo Ursula Vera Will Amir Bruno Chen Dario Elif Farah
Goran Hugo Ines Jonas Kemal Lars Marta Nadia Omar Priya Ravi Sven Tariq Usha Vikram Wei Yusuf Zara José Zoë Renée Jürgen Björn Søren
André Chloé Agnès Günther Iván Núria""".split()

CITIES = """Paris London Berlin Rome Madrid Vienna Prague Oslo Helsinki Stockholm Copenhagen Lisbon Athens Warsaw Budapest Dublin
Brussels Amsterdam Zurich Geneva Milan Naples Venice Florence Munich Hamburg Cologne Lyon Marseille Barcelona Seville Porto Tokyo
Kyoto Osaka Seoul Beijing Shanghai Delhi Mumbai Bangkok Hanoi Jakarta Manila Sydney Melbourne Perth Auckland Cairo Nairobi Lagos
Dakar Tunis Boston Chicago Denver Seattle Dallas Houston Austin Miami Atlanta Toronto Montreal Vancouver Lima Quito Bogota
Santiago Havana Reykjavik Riga Vilnius Tallinn Kyiv Sofia Belgrade Zagreb Ankara Istanbul Tehran Baghdad Dubai Doha""".split()
LONG_CITIES = """San Francisco|New York|Los Angeles|Hong Kong|Buenos Aires|Rio de Janeiro|Mexico City|Cape Town|Tel Aviv|New Delhi|
Kuala Lumpur|San Diego|Las Vegas|Salt Lake City|Saint Petersburg|Ho Chi Minh City|Abu Dhabi|Addis Ababa|New Orleans|
Panama City|Santa Fe|San Jose|Fort Worth|Kansas City|Long Beach|Quebec City|Sao Paulo|La Paz|The Hague|Tokyo Bay""".replace("\n", "").split("|")
CITIES_ZH = """北京 上海 广州 深圳 成都 杭州 南京 武汉 西安 重庆 天津 苏州 长沙 青岛 大连 厦门 昆明 沈阳 哈尔滨 济南 郑州 福州 合肥
南昌 贵阳 兰州 太原 石家庄 长春 海口 三亚 拉萨 乌鲁木齐 呼和浩特 香港 澳门 台北 东京 巴黎 伦敦 纽约 柏林 罗马 莫斯科""".split()

# Characters for Chinese names and values; every one of them gets a token.
SURNAMES_ZH = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN_ZH = ("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红玲芬燕彬凯浩宇轩然博文思雨欣怡梓涵子晨佳琪雪梅兰竹"
            "菊春夏秋冬志建国庆海波峰龙虎飞鹏宁安康乐福星月辰阳光亮晶莹洁瑞祥嘉慧颖琳倩婷丹青云帆远航正义诚信德仁")
OTHER_ZH = ("天地山水火木金土风花草树石河湖江鱼鸟牛羊狗猫兔鸡鸭桌椅门窗书笔纸画歌舞琴棋茶酒米面饭菜果瓜豆糖盐油酱肉蛋奶"
            "糕饼车船票机票钱币衣裤鞋帽包伞刀灯床被杯碗盘球拍路桥站楼房屋园校院店厂村镇城市省县区街东西南北前后左右上下"
            "大小多少长短高低新旧快慢早晚今明昨日年时分秒周点半红黄蓝绿白黑灰紫苹橙葡萄香蕉西瓜草莓电影音乐新闻天气")

# Words that would make a list of keys and values ambiguous.
SYNTAX = frozenset("and the set with equal key keys value values json true false null for use call run from has was are named".split())


def held_out(item: str) -> bool:
    """One item in ten, chosen by its own hash."""
    return zlib.crc32(item.encode()) % 10 == 0


def is_rude(word: str) -> bool:
    word = word.lower()
    if _digest(word) in blocked.WORDS:
        return True
    lengths = range(4, min(len(word), 9) + 1)
    return any(_digest(word[i:i + n]) in blocked.STEMS for n in lengths for i in range(len(word) - n + 1))


def is_blocked_name(word: str) -> bool:
    return is_rude(word) or _digest(word.lower()) in blocked.NAMES


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()[:10]


@lru_cache(maxsize=1)
def _listed() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clean lower-case words and clean capitalised names, in the order of the list."""
    entries = WORD_LIST.read_text(encoding="utf-8").split("\n")
    words = [w for w in entries if re.fullmatch("[a-z]{3,22}", w) and not is_rude(w)]
    names = [w for w in entries if re.fullmatch("[A-Z][a-z]{2,9}", w) and not is_blocked_name(w)]
    return tuple(words), tuple(names)


@dataclass(frozen=True)
class Pool:
    """The words one split may use. Splits: "train"; "test", unseen words in trained wordings; "unseen", both unseen."""
    split: str
    words: tuple[str, ...]      # lower case, 3 to 22 letters
    names: tuple[str, ...]      # capitalised
    first_names: tuple[str, ...]

    @property
    def training(self) -> bool:
        return self.split == "train"

    def mine(self, item: str) -> bool:
        """Whether this item belongs to this side of the split."""
        return held_out(item) != self.training

    def wording(self, rng: random.Random, trained: list[str], unseen: list[str]) -> str:
        return rng.choice(unseen if self.split == "unseen" else trained)

    def word(self, rng: random.Random) -> str:
        return rng.choice(self.words)

    def short_word(self, rng: random.Random, longest: int = 9) -> str:
        while len(word := rng.choice(self.words)) > longest or word in SYNTAX:
            pass
        return word

    def name(self, rng: random.Random) -> str:
        return rng.choice(self.first_names if rng.random() < 0.25 else self.names)

    def name_zh(self, rng: random.Random) -> str:
        while True:
            given = "".join(rng.choice(GIVEN_ZH) for _ in range(rng.choice((1, 2, 2))))
            name = rng.choice(("", rng.choice(SURNAMES_ZH))) + given
            if len(name) > 1 and self.mine(name):
                return name

    def value_zh(self, rng: random.Random) -> str:
        while not self.mine(value := "".join(rng.choice(OTHER_ZH + GIVEN_ZH) for _ in range(rng.choice((1, 2, 2, 3, 4))))):
            pass
        return value

    def number(self, rng: random.Random) -> int:
        """An integer of one to four digits; repeated digits are common, because copying them is the hard part."""
        while True:
            digits = rng.choice((1, 2, 2, 2, 3, 3, 4))
            alphabet = "0123456789" if rng.random() < 0.7 else rng.sample("0123456789", 2)
            number = int("".join(rng.choice(alphabet) for _ in range(digits)))
            if self.mine(f"number {number}"):
                return number


@lru_cache(maxsize=None)
def pool(split: str) -> Pool:
    words, names = _listed()
    wanted = split != "train"

    def side(items):
        return tuple(w for w in items if held_out(w.lower()) == wanted)

    return Pool(split, side(words), side(names), side(FIRST_NAMES))
