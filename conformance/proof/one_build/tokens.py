"""Rust text as tokens with their places, as far as is needed to find what an operator stands between."""

import re

TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<text>b?r(?P<hashes>\#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])')
  | (?P<life>'[A-Za-z_]\w*)
  | (?P<number>\d[\w]*(?:\.\d[\w]*)?)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign><<=|>>=|\.\.=|\.\.\.|::|->|=>|==|!=|<=|>=|&&|\|\||\+=|-=|\*=|/=|%=|\^=|&=|\|=|<<|>>|\.\.|.)
    """,
    re.X | re.S,
)
OPEN, CLOSE = "([{", ")]}"
BINDS = {"*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "&": 7, "^": 6, "|": 5,
         "==": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4, "&&": 3, "||": 2}
ASSIGN = {"+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<<=", ">>="}
ENDS = {",", ";", ":", "=>", "=", "..", "..=", "->"} | ASSIGN
HEADS = {"if", "while", "match", "in", "let", "else", "return", "break", "move", "async"}


class Token:
    def __init__(self, kind, text, start, end):
        self.kind, self.text, self.start, self.end = kind, text, start, end
        self.partner = None


def tokens(source):
    """Everything but spaces and comments, each bracket with its partner."""
    all_tokens, stack, at = [], [], 0
    while at < len(source):
        match = TOKEN.match(source, at)
        at = match.end()
        if match.lastgroup == "space" or match.group("space"):
            continue
        kind = "text" if match.group("text") else match.lastgroup
        token = Token(kind, match.group(0), match.start(), match.end())
        if token.text in OPEN and kind == "sign":
            stack.append(len(all_tokens))
        elif token.text in CLOSE and kind == "sign":
            partner = stack.pop()
            token.partner, all_tokens[partner].partner = partner, len(all_tokens)
        all_tokens.append(token)
    return all_tokens


def stands_apart(source, token):
    """Whether there are spaces on both sides: so stands every operator between two operands."""
    return source[token.start - 1].isspace() and source[token.end:token.end + 1].isspace()


def binding(source, token):
    """How strongly a token binds, where it stands between two operands."""
    if token.kind != "sign" or token.text not in BINDS:
        return None
    return BINDS[token.text] if stands_apart(source, token) else None


def is_head(source, all_tokens, index):
    """Whether an expression stands in the head of an `if`, a `while`, a `match` or a `for`."""
    while index >= 0:
        token = all_tokens[index]
        if token.kind == "word" and token.text in {"if", "while", "match", "in"}:
            return True
        if token.kind == "sign" and (token.text in {";", ",", "=>"} or token.text in OPEN or token.text == "}"):
            return False
        index = token.partner - 1 if token.partner is not None and token.text in CLOSE else index - 1
    return False


def left_of(source, all_tokens, index, strength):
    """Where the operand begins that ends before this operator."""
    start, at = None, index - 1
    while at >= 0:
        token = all_tokens[at]
        if token.kind == "sign":
            if token.text == "}" and start is not None:
                after = all_tokens[at + 1].text
                if after not in {".", "?"} and binding(source, all_tokens[at + 1]) is None:
                    break
            if token.text in CLOSE:
                at = token.partner
                start = at
                at -= 1
                continue
            if token.text in OPEN or token.text in ENDS:
                break
            if token.text == "|" and not stands_apart(source, token):
                break
            if token.text == "||" and not stands_apart(source, token):
                break
            bound = binding(source, token)
            if bound is not None and bound < strength:
                break
        elif token.kind == "word" and token.text in HEADS:
            break
        start = at
        at -= 1
    return start


def right_of(source, all_tokens, index, strength, in_head):
    """Where the operand ends that begins behind this operator; behind its last token."""
    end, at = None, index + 1
    while at < len(all_tokens):
        token = all_tokens[at]
        if token.kind == "sign":
            if token.text in CLOSE or token.text in ENDS:
                break
            bound = binding(source, token)
            if bound is not None and bound <= strength:
                break
            if token.text == "{" and (in_head or not re.match(r"[A-Z]\w*[a-z]", all_tokens[at - 1].text)):
                break
            if token.text in OPEN:
                end = token.partner
                at = end + 1
                continue
        elif token.kind == "word" and token.text == "else":
            break
        end = at
        at += 1
    return end
