"""Sums and differences of up to three digits, worked out digit by digit from the right, as on paper."""
import random

from .chat import Exchange
from .noise import punctuated
from .words import Pool, held_out

PLUS = ["What is {a} + {b}?", "{a} + {b} = ?", "{a}+{b}=", "{a} + {b}", "{a}+{b}", "How much is {a} + {b}?", "Calculate {a} + {b}.",
        "What is {a} plus {b}?", "Add {a} and {b}.", "How much is {a} plus {b}?", "What is the sum of {a} and {b}?",
        "Please add {a} to {b}.", "Compute {a}+{b}.", "Can you add {a} and {b}?",
        "What do you get if you add {a} and {b}?", "Work out {a} plus {b}.", "Solve {a} + {b}.", "What does {a} + {b} equal?",
        "What's {a}+{b}?", "Tell me what {a} plus {b} is."]
PLUS_UNSEEN = ["Could you work out the sum {a} + {b}?", "{a} plus {b} makes what?", "Give me the result of {a} + {b}."]
MINUS = ["What is {a} - {b}?", "{a} - {b} = ?", "{a}-{b}=", "{a} - {b}", "{a}-{b}", "How much is {a} - {b}?", "Calculate {a} - {b}.",
         "What is {a} minus {b}?", "How much is {a} minus {b}?", "Compute {a}-{b}.", "What is {a} take away {b}?",
         "What do you get for {a} minus {b}?", "Work out {a} minus {b}.", "Solve {a} - {b}.", "What does {a} - {b} equal?",
         "What's {a}-{b}?", "Tell me what {a} minus {b} is."]
MINUS_UNSEEN = ["Could you work out the difference {a} - {b}?", "{a} minus {b} makes what?", "Give me the result of {a} - {b}."]
FROM = ["Subtract {b} from {a}.", "Please subtract {b} from {a}.", "Take {b} away from {a}."]
PLUS_ZH = ["{a}加{b}等于多少？", "{a}加{b}等于几？", "{a}+{b}等于多少？", "{a}+{b}=？", "计算{a}加{b}。", "请计算{a}+{b}。", "{a}加上{b}是多少？",
           "{a}和{b}的和是多少？", "请问{a}加{b}是多少？", "算一下{a}+{b}。", "{a}+{b}是多少？"]
PLUS_ZH_UNSEEN = ["帮我算算{a}加{b}得多少？", "把{a}和{b}加起来是多少？"]
MINUS_ZH = ["{a}减{b}等于多少？", "{a}减{b}等于几？", "{a}-{b}等于多少？", "{a}-{b}=？", "计算{a}减{b}。", "请计算{a}-{b}。", "{a}减去{b}是多少？",
            "{a}和{b}的差是多少？", "请问{a}减{b}是多少？", "算一下{a}-{b}。", "{a}-{b}是多少？"]
MINUS_ZH_UNSEEN = ["帮我算算{a}减{b}得多少？", "{a}减掉{b}还剩多少？"]


def sum_exchange(rng: random.Random, pool: Pool, thinking: bool = True) -> Exchange:
    a, op, b = _operands(rng, pool)
    chinese = rng.random() < 0.3
    if op == "+":
        asked = pool.wording(rng, PLUS_ZH, PLUS_ZH_UNSEEN) if chinese else pool.wording(rng, PLUS, PLUS_UNSEEN)
    elif chinese:
        asked = pool.wording(rng, MINUS_ZH, MINUS_ZH_UNSEEN)
    else:
        asked = pool.wording(rng, MINUS + FROM, MINUS_UNSEEN)
    result = a + b if op == "+" else a - b
    thought = "\n".join(steps(a, op, b))
    return Exchange(punctuated(rng, asked).format(a=a, b=b), f"{a} {op} {b} = {result}", thought if thinking else "",
                    {"a": a, "op": op, "b": b})


def steps(a: int, op: str, b: int) -> list[str]:
    """47 + 38 -> ["7+8=15, carry 1", "4+3+1=8"]; 23 - 58 -> ["23<58, 58-23", "8-3=5", "5-2=3"]."""
    lines = []
    if op == "-" and a < b:
        lines.append(f"{a}<{b}, {b}-{a}")
        a, b = b, a
    carry, word = 0, "carry" if op == "+" else "borrow"
    digits = max(len(str(a)), len(str(b)))
    for i in range(digits):
        x, y = a // 10**i % 10, b // 10**i % 10
        tail = f"{'+' if op == '+' else '-'}1" if carry else ""
        if op == "+":
            value = x + y + carry
            carry = int(value > 9)
            line = f"{x}+{y}{tail}={value}"
        else:
            short = int(x - y - carry < 0)
            value = x + 10 * short - y - carry
            line = f"{x + 10 * short}-{y}{tail}={value}"
            carry = short
        lines.append(line + (f", {word} 1" if carry else ""))
    return lines


def _operands(rng: random.Random, pool: Pool) -> tuple[int, str, int]:
    """One to three digits each; sizes mixed evenly, so that small numbers are as common as large ones."""
    while True:
        a, b = (rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits) for digits in rng.choices((1, 2, 3), (2, 3, 4), k=2))
        op = rng.choice("+-")
        if held_out(f"{a}{op}{b}") != pool.training:
            return a, op, b
