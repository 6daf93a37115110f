"""Random templates from a seed: a grammar of expressions and statements over a few variables.

Numbers stay small, so that neither side meets its limits, and most expressions have a type that fits where they stand, so that most
templates render; the rest are there for the errors.
"""

import random

VARIABLES = {
    "s": "Hello, wörld! 你好\n  two  lines\t<b>&'\"",
    "t": "a,b,,c",
    "e": "",
    "n": 7,
    "m": -3,
    "z": 0,
    "x": 2.5,
    "y": -0.125,
    "yes": True,
    "no": False,
    "nil": None,
    "l": [3, 1, 2, 2],
    "w": ["pear", "Apple", "fig", "apple"],
    "mixed": [1, "a", None, 2.0, [1, 2], {"k": "v"}],
    "none_left": [],
    "d": {"b": 1, "a": 2, "items": 3, "C": [1, {"x": "deep"}]},
    "empty": {},
    "rows": [
        {"role": "user", "content": "hi", "n": 2, "tags": ["x", "y"]},
        {"role": "assistant", "content": "yo <there>", "n": 1, "tags": []},
        {"role": "user", "content": "", "n": 3},
        {"role": "Tool", "content": None, "n": 1, "tags": ["z"]},
    ],
    "ключ": "unicode name",
}

STRINGS = ["''", "'a'", "'Ab c'", "\"it's\"", "'x\\ny'", "'é中😀'", "'  pad '", "'a,b'", "'%s'", "'10'", "'-2.5'", "'TRUE'", "'l'", "'role'"]
NAMES = {
    "str": ["s", "t", "e", "rows[0].content", "rows[1]['role']", "d.C[1].x", "ключ"],
    "num": ["n", "m", "z", "x", "y", "loop_i", "d.a", "yes"],
    "list": ["l", "w", "mixed", "none_left", "rows", "d.C", "rows[0].tags"],
    "dict": ["d", "empty", "rows[0]", "rows[3]"],
    "any": ["nil", "missing", "no", "yes", "d.nothing", "rows[9]", "rows[2].tags", "s", "n", "l", "d", "x"],
}
STRING_FILTERS = [
    "upper", "lower", "title", "capitalize", "trim", "trim('H a')", "length", "string", "e", "first", "last", "list", "reverse",
    "wordcount", "urlencode", "int", "float", "int(-1)", "replace('l', 'L')", "replace('', '.', 3)", "replace('o', '', 1)", "truncate(8)",
    "truncate(9, true, '~', 0)", "indent", "indent(2, true, true)", "indent('> ')", "center(20)", "tojson", "default('none')",
    "default('d', true)", "batch(3)|list", "slice(3)|list", "unique|join('.')", "sort|join", "select('in', 'aeiou')|list", "safe", "forceescape",
    "join('-')", "map('upper')|join", "format('v')", "max", "min", "attr('upper') is callable",
]
NUMBER_FILTERS = [
    "abs", "int", "float", "round", "round(1)", "round(2, 'floor')", "round(0, 'ceil')", "string", "tojson", "default(1)", "filesizeformat",
    "round(-1)", "length", "upper", "e",
]
LIST_FILTERS = [
    "length", "first", "last", "join(', ')", "list", "reverse|list", "sort|list", "sort(reverse=true)", "sort(case_sensitive=true)", "unique|list",
    "tojson", "tojson(indent=2)", "string", "max", "min", "sum", "batch(2)|list", "batch(3, 'f')|list", "slice(2)|list", "slice(2, 'f')|list",
    "map('string')|list", "map(attribute='role')|list", "map(attribute='tags.0')|list", "map(attribute='n', default=0)|list",
    "selectattr('n', 'gt', 1)|list", "rejectattr('content')|list", "selectattr('role', 'equalto', 'user')|map(attribute='content')|list",
    "select('string')|list", "reject('none')|list", "select|list", "groupby('role')|list", "groupby('n')|map('last')|map('length')|list",
    "sort(attribute='n')|map(attribute='role')|join('/')", "sort(attribute='n,role')|map(attribute='role')|join('/')", "sum(attribute='n')",
    "map('length')|list", "select('odd')|list", "map('tojson')|join(';')", "default([])", "join(',', attribute='role')", "count",
    "max(attribute='n')", "min(attribute='role')", "selectattr('tags')|list|length", "groupby('missing', default='q')|list", "dictsort", "items|list", "urlencode", "select('mapping')|map('items')|map('list')|list", "first|default('x')",
]
DICT_FILTERS = [
    "length", "list", "dictsort", "dictsort(by='value')", "dictsort(reverse=true)", "items|list", "tojson", "tojson(indent=1)", "string", "first",
    "last", "tojson(sort_keys=true)", "tojson(separators=(',', ':'))", "tojson(ensure_ascii=true)", "xmlattr", "urlencode", "default({})",
    "join", "reverse|list", "map('upper')|list", "max", "sort", "items|map('first')|join", "e", "unique|list", "batch(2)|list",
]
STRING_METHODS = [
    "upper()", "lower()", "title()", "capitalize()", "swapcase()", "strip()", "lstrip()", "rstrip()", "strip('H! ')", "split()", "split(',')",
    "split(',', 1)", "rsplit(' ', 1)", "split(maxsplit=1)", "rsplit()", "splitlines()", "splitlines(true)", "startswith('H')",
    "endswith(('x', \"'\"))", "startswith(('a', 'b'), 1)", "replace('l', 'LL')", "replace('l', 'LL', 1)", "find('l')", "rfind('l')", "find('zz')",
    "find('l', 3)", "find('l', -5, -1)", "index('o')", "count('l')", "count('')", "isdigit()", "isalpha()", "isalnum()", "isspace()", "isupper()",
    "islower()", "istitle()", "isnumeric()", "isdecimal()", "isidentifier()", "isprintable()", "isascii()", "zfill(12)", "ljust(30, '.')",
    "rjust(30)", "center(31, '*')", "join(['p', 'q'])", "join(w)", "removeprefix('He')", "removesuffix(\"'\")", "partition(',')", "rpartition(' ')",
    "expandtabs(4)", "casefold()", "format(1, a=2)", "append('x')", "nothing()", "encode is callable", "__len__", "__class__",
]
LIST_METHODS = ["index(2)", "count(2)", "append(1)", "copy()", "index(99)", "pop()", "sort()", "__len__", "nothing", "insert(0, 1)"]
DICT_METHODS = [
    "keys()", "values()", "items()", "get('a')", "get('zz')", "get('zz', 5)", "keys()|list", "values()|list", "items()|list", "copy()", "pop('a')",
    "update({})", "setdefault('a', 1)", "items", "a", "nothing", "clear", "get('C')[0]", "get()", "keys()|sort", "values()|map('string')|list",
]
TESTS = [
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "sequence", "iterable",
    "callable", "odd", "even", "divisibleby 3", "divisibleby(2)", "eq 7", "ne(1)", "lt 3", "gt(2)", "le 2.5", "ge 0", "in [1, 'a', 7]", "lower",
    "upper", "sameas none", "sameas(true)", "not none", "not defined", "== 'a'", "equalto('a')", "escaped", "filter", "test", "in 'abc'",
]
FORMATS = [
    "'%s' % {a}", "'%r' % ({a},)", "'%5s|%-5s' % ({a}, {b})", "'%d' % {n}", "'%05d|%+d|%x|%o' % ({n}, {n}, n, n)", "'%.2f|%e|%g' % ({n}, {n}, {n})",
    "'%(a)s-%(b)s' % d", "'%%' % ()", "'%s %s' % {a}", "'{{}}-{{}}'.format({a}, {b})", "'{{0}}{{1}}{{0}}'.format({a}, {b})",
    "'{{x}}'.format(x={a})", "'{{:>8}}|{{:^8}}|{{:*<8}}'.format(n, 'ab', 'c')", "'{{:.3f}}|{{:,}}|{{:08.2f}}|{{:+}}'.format(x, 1234567, x, n)",
    "'{{0[a]}} {{0[b]}}'.format(d)", "'{{:x}}|{{:#b}}|{{:e}}|{{:%}}|{{:g}}'.format(n, n, x, x, x)", "'{{!r}}'.format({a})", "'%c%c' % (65, 'z')",
    "'%*d' % (6, n)", "'%-8.3s|' % {a}", "'{{:{{}}}}'.format('a', 5)", "'{{:10.3}}|{{:_}}'.format(x, 123456)",
]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, choices):
        return self.r.choice(choices)

    def number(self):
        return self.pick(["0", "1", "2", "3", "-1", "10", "2.5", "0.1", "1e3", "1_000", "-7", "3.0", "0x1f", "1e-7", "123456789.125", "1e22"])

    def typed(self, kind, depth):
        """An expression that most likely has this type."""
        if depth <= 0 or self.r.random() < 0.25:
            if kind == "str":
                return self.pick(STRINGS + NAMES["str"])
            if kind == "num":
                return self.pick([self.number(), *NAMES["num"]])
            if kind == "list":
                return self.pick(["[]", "[1, 2, 3]", "['b', 'a']", "(1, 'x')", "range(4)", "()", *NAMES["list"]])
            if kind == "dict":
                return self.pick(["{}", "{'k': 1}", "{1: 'one', 'two': 2}", "dict(a=1)", *NAMES["dict"]])
            return self.pick(NAMES["any"] + ["none", "true", "[none]", "''", "0"])
        sub = lambda k: self.typed(k, depth - 1)  # noqa: E731
        anything = lambda: sub(self.pick(["str", "num", "list", "dict", "any"]))  # noqa: E731
        if self.r.random() < 0.04:
            kind = "any"
        if kind == "str":
            return self.pick([
                lambda: f"{sub('str')} + {sub('str')}", lambda: f"({anything()} ~ {anything()})", lambda: f"{self.wrap(sub('str'))}|{self.pick(STRING_FILTERS)}",
                lambda: f"{self.wrap(sub('str'))}.{self.pick(STRING_METHODS)}", lambda: f"{self.wrap(sub('str'))}[{self.slice()}]",
                lambda: f"{self.wrap(sub('str'))} * {self.pick(['0', '2', '3', 'm'])}", lambda: f"({sub('str')} if {sub('any')} else {sub('str')})",
                lambda: "(" + self.pick(FORMATS).format(a=self.wrap(anything()), b=self.wrap(anything()), n=self.wrap(sub("num"))) + ")",
                lambda: f"{self.wrap(anything())}|string", lambda: f"{self.wrap(anything())}|tojson",
                lambda: f"{self.wrap(sub('list'))}|join({sub('str')})",
            ])()
        if kind == "num":
            return self.pick([
                lambda: f"{self.wrap(sub('num'))} {self.pick(['+', '-', '*', '/', '//', '%'])} {self.wrap(sub('num'))}", lambda: f"-{self.wrap(sub('num'))}",
                lambda: f"{self.wrap(sub('num'))} ** {self.pick(['2', '0', '-1', '3'])}", lambda: f"{self.wrap(sub('num'))}|{self.pick(NUMBER_FILTERS)}",
                lambda: f"{self.wrap(sub('list'))}|length", lambda: f"{self.wrap(sub('str'))}|length", lambda: f"{self.wrap(sub('str'))}|int",
                lambda: f"{self.wrap(sub('list'))}|{self.pick(['sum', 'max', 'min', 'count', 'first'])}", lambda: f"+{self.wrap(sub('num'))}",
            ])()
        if kind == "list":
            return self.pick([
                lambda: f"[{anything()}, {anything()}]", lambda: f"{self.wrap(sub('list'))}[{self.slice()}]", lambda: f"{sub('list')} + {sub('list')}",
                lambda: f"{self.wrap(sub('list'))}|{self.pick(LIST_FILTERS)}", lambda: f"{self.wrap(sub('str'))}.split({self.pick(['', repr(','), repr('l')])})",
                lambda: f"{self.wrap(sub('list'))}.{self.pick(LIST_METHODS)}", lambda: f"({anything()}, {anything()})", lambda: f"{self.wrap(sub('dict'))}|list",
                lambda: f"{self.wrap(sub('list'))} * 2", lambda: f"range({self.pick(['3', '1, 6, 2', '5, 0, -2', 'n', '0'])})",
            ])()
        if kind == "dict":
            return self.pick([
                lambda: "{" + f"{sub('str')}: {anything()}, {self.pick(['1', 'none', 'true', '2.5', repr('q')])}: {anything()}" + "}",
                lambda: f"{self.wrap(sub('dict'))}|{self.pick(DICT_FILTERS)}", lambda: f"{self.wrap(sub('dict'))}.{self.pick(DICT_METHODS)}",
                lambda: f"dict({self.pick(['a', 'b'])}={anything()})", lambda: f"{self.wrap(sub('list'))}|first", lambda: f"dict(d, z={anything()})",
            ])()
        compare = ["==", "!=", "<", ">", "<=", ">=", "in", "not in"]
        same = self.pick(["str", "num", "list", "any"])
        return self.pick([
            lambda: f"({sub(same)} {self.pick(compare)} {sub(same)})", lambda: f"({anything()} {self.pick(['==', '!=', 'in', 'not in'])} {anything()})",
            lambda: f"({anything()} and {anything()})", lambda: f"({anything()} or {anything()})", lambda: f"not {anything()}",
            lambda: f"{self.wrap(anything())} is {self.pick(TESTS)}", lambda: f"{self.wrap(anything())} is not {self.pick(TESTS)}",
            lambda: f"({sub('num')} < {sub('num')} <= {sub('num')})", lambda: f"({anything()} if {anything()})", lambda: f"{self.wrap(anything())}[{anything()}]",
            lambda: f"{self.wrap(anything())}.{self.pick(['a', 'role', 'content', 'x', 'items', 'upper', '0', 'real', '_x'])}",
        ])()

    def wrap(self, expression):
        return expression if expression.isidentifier() else f"({expression})"

    def slice(self):
        bound = lambda: self.pick(["", "", "0", "1", "-1", "2", "-3", "100", "none"])  # noqa: E731
        return self.pick([self.pick(["0", "1", "-1", "50", "true", "'x'"]), f"{bound()}:{bound()}", f"{bound()}:{bound()}:{self.pick(['', '1', '2', '-1', '-2'])}"])

    def expression(self, depth=3):
        return self.typed(self.pick(["str", "num", "list", "dict", "any"]), depth)

    def tag(self, inside):
        left, right = self.pick(["{%", "{%-", "{%", "{%+"]), self.pick(["%}", "-%}", "%}", "+%}"])
        return f"{left} {inside} {right}"

    def text(self):
        return self.pick(["\n", "  ", "word", " \n  ", "\n\n", "a\n", "\t", "<|im_start|>", "。", "", "{", "}", "\r\n", "%"])

    def output(self):
        left, right = self.pick(["{{", "{{-", "{{"]), self.pick(["}}", "-}}", "}}"])
        return f"{left} {self.expression()} {right}"

    def body(self, depth):
        return "".join(self.pick([self.text, self.output, self.text, lambda: self.statement(depth - 1)])() for _ in range(self.r.randint(1, 4)))

    def statement(self, depth):
        if depth <= 0:
            return self.output()
        return self.pick([
            self.if_, self.for_, self.for_, self.set_, self.set_, self.macro, self.with_, self.filter_, self.block_set, self.call, self.comment, self.raw,
            self.namespace, self.recursive, self.unpack, self.block,
        ])(depth)

    def if_(self, depth):
        middle = self.pick(["", self.tag("elif " + self.expression(2)) + self.body(depth)])
        last = self.pick(["", self.tag("else") + self.body(depth)])
        return self.tag("if " + self.expression(2)) + self.body(depth) + middle + last + self.tag("endif")

    LOOP = [
        "loop.index", "loop.index0", "loop.first", "loop.last", "loop.length", "loop.revindex", "loop.revindex0", "loop.cycle(1, 'b')", "loop.depth",
        "loop.changed(loop_i)", "loop.previtem", "loop.nextitem", "loop.previtem is defined", "loop.nextitem is defined", "loop.nothing", "loop.depth0",
    ]

    def for_(self, depth):
        condition = self.pick(["", "", " if " + self.pick(["loop_i", "loop_i is string", "loop_i is not none", self.expression(1)])])
        inner = "".join(self.pick([lambda: "{{ loop_i }}", lambda: "{{ " + self.pick(self.LOOP) + " }}", lambda: self.body(depth)])() for _ in range(2))
        jump = self.pick(["", "", self.tag("if " + self.pick(["loop.index > 1", "loop_i", "loop_i == 2"])) + self.tag(self.pick(["break", "continue"])) + self.tag("endif")])
        otherwise = self.pick(["", self.tag("else") + self.body(depth)])
        return self.tag(f"for loop_i in {self.wrap(self.typed(self.pick(['list', 'list', 'dict', 'str']), 2))}{condition}") + inner + jump + inner + otherwise + self.tag("endfor")

    def unpack(self, depth):
        return self.tag(f"for k, v in {self.pick(['d.items()', 'd|dictsort', 'rows[0]|items', 'empty.items()', '[(1, 2), [3, 4]]', 'w', 'rows|groupby(' + repr('role') + ')'])}") + \
            "{{ k }}={{ v }};" + self.body(depth) + self.tag("endfor")

    def recursive(self, depth):
        return self.tag("for q in [1, [2, [3]], 4] recursive") + "{% if q is iterable %}<{{ loop(q) }}>{% else %}{{ q }}:{{ loop.depth }}{% endif %}" + self.tag("endfor")

    def set_(self, depth):
        name = self.pick(["s", "a", "b", "loop_i", "n"])
        return self.pick([
            lambda: self.tag(f"set {name} = {self.expression()}"), lambda: self.tag(f"set {name}, b = {self.pick(['1, 2', '(3, 4)', 'l[:2]', '1', '[1, 2, 3]'])}"),
            lambda: self.tag(f"set {name} = {self.expression(1)}, {self.expression(1)}"),
        ])() + self.pick(["", "{{ " + name + " }}", "{{ a }}{{ b }}"])

    def block_set(self, depth):
        return self.tag(f"set a{self.pick(['', ' | upper', ' | trim | length'])}") + self.body(depth) + self.tag("endset") + self.pick(["{{ a }}", ""])

    def namespace(self, depth):
        return self.tag("set ns = namespace(c=0, s='')") + self.tag(f"for q in {self.pick(['l', 'w', 'rows', 'range(3)'])}") + \
            self.pick([self.tag("set ns.c = ns.c + 1"), self.tag("set ns.s = ns.s ~ loop.index"), self.tag("set ns.c = q"), self.tag("set ns.c, ns.s = 1, q")]) + \
            self.tag("endfor") + "{{ ns.c }}{{ ns.s }}{{ ns.none_there }}"

    def macro(self, depth):
        head = self.pick(["f()", "f(a)", "f(a, b=2)", "f(a='x', b=a)", "f(a, b=n)"])
        body = self.pick(["{{ a }}{{ b }}", "{{ varargs }}{{ kwargs }}{{ a }}", "{{ s }}{% set s = 1 %}{{ s }}", "{{ caller() if caller else '-' }}"]) + self.body(depth - 1)
        call = self.pick(["f()", "f(1)", "f(1, 2)", "f(b=3)", "f(*l)", "f(**empty)", "f(1, 2, 3)", "f(a=1, c=2)", "f.name", "f.arguments", "f(a=1)"])
        return self.tag("macro " + head) + body + self.tag("endmacro") + "{{ " + call + " }}"

    def call(self, depth):
        head, use = self.pick([("call g('x')", "caller()"), ("call(p) g('y')", "caller(1)"), ("call(p='d') g(z)", "caller()")])
        return self.tag("macro g(a)") + "[{{ a }}{{ " + use + " }}]" + self.tag("endmacro") + self.tag(head) + "{{ p }}" + self.body(depth - 1) + self.tag("endcall")

    def with_(self, depth):
        return self.tag(f"with a = {self.expression(1)}, b = {self.pick(['n', 'a', 's|length'])}") + "{{ a }}{{ b }}" + self.body(depth) + self.tag("endwith") + "{{ a }}"

    def filter_(self, depth):
        return self.tag("filter " + self.pick(["upper", "trim", "replace('a', 'b')", "indent(2)", "length", "upper | lower", "title"])) + self.body(depth) + self.tag("endfilter")

    def block(self, depth):
        self.blocks = getattr(self, "blocks", 0) + 1
        return self.tag(f"block b{self.blocks}") + self.body(depth - 1) + self.tag("endblock")

    def comment(self, depth):
        return self.pick(["{# note #}", "{#- note -#}", "{# multi\nline #}\n", "{#+ plus #}"])

    def raw(self, depth):
        return self.pick(["{% raw %}{{ x }}{% endraw %}", "{%- raw -%} {% y %} {%- endraw -%}", "{% raw %}\n{#\n{% endraw %}\n"])

    def template(self):
        return "".join(self.pick([self.text, self.output, lambda: self.statement(3)])() for _ in range(self.r.randint(1, 5)))
