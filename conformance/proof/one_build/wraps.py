"""Many mutants in one build: each stands in the text as a branch that is taken when its number is told.

What stands in the text is only ever added to. `mutant::active()` says which mutant it is, 0 for none.
"""

import re

from .tokens import ASSIGN, BINDS, CLOSE, is_head, left_of, right_of, tokens

ACTIVE = "crate::mutant::active()"


class Cannot(Exception):
    """Why a mutant cannot stand beside the others."""


class File:
    """A source file, and what is added to it."""

    def __init__(self, path):
        self.source = path.read_text()
        self.tokens = tokens(self.source)
        self.lines = [0]
        for line in self.source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        # Range -> what wraps it -> [(number, alternative)].
        self.choices = {}
        self.before, self.plain = [], []

    def place(self, spot):
        return self.lines[spot["line"] - 1] + spot["column"] - 1

    def token_at(self, start):
        for index, token in enumerate(self.tokens):
            if token.start == start:
                return index
        raise Cannot("no token begins there")

    def add(self, mutant):
        start, end = self.place(mutant["span"]["start"]), self.place(mutant["span"]["end"])
        if mutant["function"] is None:
            raise Cannot("a constant")
        head = self.place(mutant["function"]["span"]["start"])
        if re.search(r"\bconst (?=fn\b)", self.source[head:self.source.index("{", head)]):
            raise Cannot("a function that constants may call")
        {"BinaryOperator": self.binary, "UnaryOperator": self.unary, "MatchArmGuard": self.guard,
         "MatchArm": self.arm, "StructField": self.field, "FnValue": self.body}[mutant["genre"]](mutant, start, end)

    def choose(self, start, end, number, alternative):
        self.choices.setdefault((start, end), []).append((number, alternative))

    def binary(self, mutant, start, end):
        index = self.token_at(start)
        sign = self.tokens[index].text
        strength = 1 if sign in ASSIGN else BINDS[sign]
        left = left_of(self.source, self.tokens, index, strength)
        head = is_head(self.source, self.tokens, index)
        right = right_of(self.source, self.tokens, index, strength, head)
        if left is None or right is None:
            raise Cannot("its operands were not found")
        if re.search(r"\bconst \w+: [^=;]+= $", self.source[:self.tokens[left].start]):
            raise Cannot("a constant")
        if sign == "&&" and self.tokens[left - 1].text == "=" and is_head(self.source, self.tokens, left - 1):
            raise Cannot("it joins what is bound by `let`")
        first, last = self.tokens[left].start, self.tokens[right].end
        text = self.source[first:start] + mutant["replacement"] + self.source[end:last]
        self.choose(first, last, mutant["number"], text)

    def unary(self, mutant, start, end):
        index = self.token_at(start)
        right = right_of(self.source, self.tokens, index, 11, is_head(self.source, self.tokens, index))
        # `as` binds less than a sign before its operand does.
        for at in range(index + 1, right + 1):
            if self.tokens[at].text == "as":
                right = at - 1
                break
        last = self.tokens[right].end
        self.choose(start, last, mutant["number"], self.source[end:last])

    def guard(self, mutant, start, end):
        self.choose(start, end, mutant["number"], mutant["replacement"])

    def arm(self, mutant, start, end):
        inside = [index for index, token in enumerate(self.tokens) if start <= token.start < end]
        at, guard = inside[0], None
        while self.tokens[at].text != "=>":
            if self.tokens[at].text == "if":
                guard = self.tokens[at + 1].start
            at = self.tokens[at].partner + 1 if self.tokens[at].text in "([{" else at + 1
        arrow = self.tokens[at - 1].end
        number = mutant["number"]
        if guard is None:
            self.plain.append((arrow, arrow, "", f" if {ACTIVE} != {number}"))
        else:
            self.plain.append((guard, arrow, "(", f") && {ACTIVE} != {number}"))

    def field(self, mutant, start, end):
        name = re.match(r"\w+", self.source[start:]).group(0)
        at = self.token_at(start)
        # What the other members are taken from, and of which type it is.
        brace = at
        while self.tokens[brace].text != "{" or self.tokens[brace].partner < at:
            brace -= 1
        kind = brace - 1
        while self.tokens[kind - 1].text == "::":
            kind -= 2
        close = self.tokens[brace].partner
        base, depth_at = None, brace + 1
        while depth_at < close:
            token = self.tokens[depth_at]
            if token.text == ".." and self.tokens[depth_at - 1].text in {",", "{"}:
                base = self.source[token.end:self.tokens[close - 1].end]
                break
            depth_at = token.partner + 1 if token.text in ("(", "[", "{") else depth_at + 1
        if base is None:
            raise Cannot("nothing says what it would be without")
        of = self.source[self.tokens[kind].start:self.tokens[brace - 1].end]
        text = f"{{ let base: {of} = {base}; base.{name} }}" if base.lstrip().startswith("Default") else f"({base}).{name}"
        last = end
        while self.source[last - 1] in ", \n":
            last -= 1
        if self.source[start + len(name):last].strip() == "":
            self.plain.append((last, last, "", f": if {ACTIVE} == {mutant['number']} {{ {text} }} else {{ {name} }}"))
            return
        value = self.tokens[at + 2].start
        self.choose(value, last, mutant["number"], text)

    def body(self, mutant, start, end):
        text, number = mutant["replacement"], mutant["number"]
        if "impl" in mutant["function"]["return_type"]:
            if text != "::std::iter::empty()":
                raise Cannot("another type than the function has")
            self.plain.append((end, end, "", f".take_while(|_| {ACTIVE} != {number})"))
        else:
            self.before.append((start, f"if {ACTIVE} == {number} {{ return {text}; }} "))

    def text(self):
        """The source with everything that was added."""
        adds = [(at, 2, 0, text) for at, text in self.before]
        for (start, end), choices in self.choices.items():
            arms = " ".join(f"{number} => {{ {text} }}," for number, text in choices)
            adds.append((start, 3, -end, f"(match {ACTIVE} {{ {arms} _ => "))
            adds.append((end, 1, -start, " })"))
        for start, end, before, after in self.plain:
            if before:
                adds.append((start, 3, -end - 1, before))
            adds.append((end, 1, -start + 1, after))
        out, last = [], 0
        for at, _, _, text in sorted(adds):
            out += [self.source[last:at], text]
            last = at
        return "".join(out) + self.source[last:]
