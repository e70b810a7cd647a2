# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fails where a public declaration of a public header names what is in a namespace `detail`.

A declaration is what a user reads: its types, parameters, bases, constraints and aliases. Not part of it are bodies,
initializers, default values, initializer lists of constructors, private and protected members, friend classes, blocks of
a namespace `detail`, and the preprocessor's lines. A private alias of such a name counts as that name.

    python3 public_names.py [<a header in place of all>...]
"""
import pathlib
import re
import sys

# Declarations that may name it: (header, words of the declaration), and why.
EXCEPTIONS = {
    # The adapter finds the units of a module by a dynamic_cast to a base that they have besides the user's class.
    ("include/zero/adapters/libtorch/unit.hpp", "detail :: UnitOf <"),
    ("include/zero/adapters/libtorch/unit.hpp", "detail :: AnyUnit <"),
    # Brings overloads for vectors that users do not name where a rule's `(fma)(...)` is looked up.
    ("include/zero/kernels/real.hpp", "using detail :: fma"),
}

# What must be found, and what must not, each time this runs.
PLANTED = """
class One { public: explicit One(detail::Two two = {}); };
struct Base : detail::Two {};
using Three = zero::detail::Two;
template <class Type> requires detail::four<Type> void f(Type x) { x(); }
template <class Type> concept five = requires(Type x) { { x.f() } -> detail::six; };
class Seven { using Eight = detail::Two; public: Eight f() const { return {}; } private: Eight hidden() const; };
class Seven { using Eight = detail::Two; public: class Nine { public: explicit Nine(std::weak_ptr<Eight> eight); }; };
auto f() -> std::vector<detail::Two>;
struct Nine { Nine() : x_{1}, y_(2) { x_ = detail::two; } detail::Two x_; int y_; };
class Ten { public: friend bool operator==(Ten a, detail::Two b) { return a.f() == b; } };
"""
ALLOWED = """
namespace detail { struct Two {}; detail::Two f(detail::Two); }
namespace zero::detail::more { using Three = detail::Two; }
class One { One(detail::Two two); friend class detail::Two; template <class Type> friend class detail::Three; };
class Two { public: Two() noexcept : x_(detail::two), y_{detail::two} { f(detail::two); } private: detail::Two x_; };
template <class Type = detail::Two> void f(Type x = detail::Two<int, detail::A>{1, 2}, int y = g(detail::two)) { detail::f(x); }
inline constexpr std::size_t three = detail::three; inline int four{detail::four};
class Five { public: void f() requires(sizeof(int) == 4) { detail::f(); } int x = detail::two; };
class Six { Six(detail::Two); using Two = detail::Two; public: using Three = Two::Three; }; inline Six::Six(detail::Two) {}
static_assert(detail::six<int>); // detail::Two
#define SEVEN(x) detail::x
enum class Eight { a = detail::a }; struct Nine { ~Nine() { detail::f("}"); } bool operator()(int) const; } const nine;
"""

TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.\']*|""|::|->|&&|\|\||<=>|[=!<>]=|\S')
TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
PAIRS = {"(": ")", "[": "]", "{": "}"}
CLASS_KEYS = ("class", "struct", "union")


class Unreadable(Exception):
    """What this does not know how to read."""


def tokens_of(text):
    """Tokens of C++ with their lines: no comments, nothing of what a string says, no directives."""

    def blank(match):
        return ('""' if match.group()[0] in "\"'" else " ") + "\n" * match.group().count("\n")

    text = TEXT.sub(blank, text)
    text = DIRECTIVE.sub(lambda match: "\n" * match.group().count("\n"), text)
    return [(match.group(), line) for line, said in enumerate(text.split("\n"), 1) for match in TOKEN.finditer(said)]


class Scan:
    """Reads a header; has the declarations that users see, and those of them that name `detail`, with their lines."""

    def __init__(self, text):
        self.tokens = tokens_of(text)
        self.at = 0
        self.aliases = []  # private ones of `detail`, of each scope around
        self.declarations = 0
        self.found = []
        self.scope(True)
        if self.at != len(self.tokens):
            raise Unreadable(f"line {self.line()}: a brace too many")

    def line(self):
        return self.tokens[min(self.at, len(self.tokens) - 1)][1]

    def peek(self, ahead=0):
        index = self.at + ahead
        return self.tokens[index][0] if index < len(self.tokens) else ""

    def take(self):
        if self.at == len(self.tokens):
            raise Unreadable("it ends within a declaration")
        self.at += 1
        return self.tokens[self.at - 1][0]

    def group(self):
        """What an opening bracket opens, with its brackets."""
        said = [self.take()]
        closing = [PAIRS[said[0]]]
        while closing:
            said.append(self.take())
            if said[-1] in PAIRS:
                closing.append(PAIRS[said[-1]])
            elif said[-1] in PAIRS.values() and said[-1] != closing.pop():
                raise Unreadable(f"line {self.line()}: '{said[-1]}' closes nothing")
        return said

    def skip_until(self, *ends):
        """Up to one of \\p ends, which is in no bracket."""
        angles = 0
        while angles > 0 or self.peek() not in ends:
            if self.peek() in PAIRS:
                self.group()
                continue
            token = self.take()
            if ";" not in ends:  # a template's arguments, and no comparison
                angles += {"<": 1, ">": -1}.get(token, 0)

    def scope(self, public):
        """Declarations up to the closing brace of their scope, or to the end of the file."""
        self.aliases.append(set())
        declarations = []
        while self.peek() not in ("", "}"):
            if self.peek() in ("public", "private", "protected") and self.peek(1) == ":":
                public = self.take() == "public"
                self.take()
                continue
            line = self.line()
            said = self.declaration(public)
            if said[:1] == ["using"] and "detail" in said and not public:
                self.aliases[-1].add(said[1])
            befriends_a_class = "friend" in said and "(" not in said
            signature = said[: said.index("(")] if "(" in said else []
            defines_a_member = signature[-2:-1] == ["::"] and "operator" not in signature  # which its class declares
            if public and said and said[0] != "static_assert" and not befriends_a_class and not defines_a_member:
                declarations.append((line, said))
        self.declarations += len(declarations)
        for line, said in declarations:
            # What `Alias::Name` stands for, nobody can tell here.
            whole = {name for before, name, after in zip([""] + said, said, said[1:] + [""]) if "::" not in (before, after)}
            if "detail" in said or any(whole & names for names in self.aliases):
                self.found.append((line, " ".join(said)))
        self.aliases.pop()

    def declaration(self, public):
        """What one declaration says. Reads those that are in it, too."""
        said = []
        class_key = ""
        while True:
            token = self.peek()
            if token == ";":
                self.take()
                return said
            if token == "namespace" and said in ([], ["inline"]):
                return self.namespace(public)
            if token == "template":
                said.append(self.take())
                if self.peek() == "<":
                    said += self.template_parameters()
            elif token == "operator":
                said += [self.take(), self.take()]  # the second one may be a parenthesis
                while self.peek() != "(":
                    said.append(self.take())
            elif token == "enum":
                while self.peek() not in ("{", ";"):
                    said.append(self.take())
                if self.peek() == "{":
                    self.group()
            elif token in CLASS_KEYS:
                class_key = class_key or token
                said.append(self.take())
            elif token == "[":
                self.group()
            elif token == "(":
                said += self.parameters()
            elif token == "{" and ("concept" in said or self.is_requirement(said)):
                said += self.group()
            elif token == "{" and class_key:
                self.take()
                if public:
                    self.scope(class_key != "class")
                    self.take()
                else:
                    self.at -= 1
                    self.group()
                class_key = ""  # what follows is an object
            elif token == "{":  # an initializer, or a body
                self.group()
                if self.peek() != ";":
                    return said
            elif token == "=" and "using" not in said and "concept" not in said:
                self.skip_until(";")
            elif token == ":" and not class_key:
                self.constructor()
                return said
            else:
                said.append(self.take())

    def namespace(self, public):
        names = []
        while self.peek() not in ("{", ";"):
            names.append(self.take())
        if self.peek() == ";":  # another name of one
            self.take()
            return names
        if "detail" in names:
            self.group()
        else:
            self.take()
            self.scope(public)
            self.take()
        return []

    def template_parameters(self):
        """`<...>` without default values."""
        said = []
        depth = 0
        while True:
            if self.peek() == "(":
                said += self.group()
            elif self.peek() == "=":
                self.skip_until(",", ">")
            else:
                said.append(self.take())
                depth += {"<": 1, ">": -1}.get(said[-1], 0)
                if depth == 0:
                    return said

    def parameters(self):
        """`(...)` without default values."""
        said = [self.take()]
        while self.peek() != ")":
            if self.peek() == "(":
                said += self.parameters()
            elif self.peek() in PAIRS:
                said += self.group()
            elif self.peek() == "=":
                self.skip_until(",", ")")
            else:
                said.append(self.take())
        return said + [self.take()]

    def constructor(self):
        """From the colon to the end of the body, whose brace follows no name."""
        before = self.take()
        while not (self.peek() == "{" and before in (")", "}", "...")):
            before = self.group()[-1] if self.peek() in PAIRS else self.take()
        self.group()

    @staticmethod
    def is_requirement(said):
        """Whether a brace now is that of `requires {`, or of `requires requires(...) {`."""
        if said[-1:] == [")"]:
            depth = 0
            for i in range(len(said) - 1, 0, -1):
                depth += {")": 1, "(": -1}.get(said[i], 0)
                if depth == 0:
                    return said[i - 2 : i] == ["requires", "requires"]
        return said[-1:] == ["requires"]


def test_itself():
    """Raises where this is blind, or sees what is not there."""
    planted = [line for line in PLANTED.split("\n") if line]
    for line in planted:
        if len(Scan(line).found) != 1:
            raise Unreadable(f"of itself: it finds {Scan(line).found} in\n{line}")
    if Scan(ALLOWED).found:
        raise Unreadable(f"of itself: it finds what is allowed: {Scan(ALLOWED).found}")


def main(arguments):
    root = pathlib.Path(__file__).resolve().parents[2]
    listed = re.search(r"set\(ZERO_PUBLIC_HEADERS([^)]*)\)", (root / "cmake/headers.cmake").read_text())
    test_itself()
    unused = set(EXCEPTIONS)
    wrong, declarations = [], 0
    for header in arguments or listed.group(1).split():
        try:
            scan = Scan((root / header).read_text(encoding="utf-8"))
        except Unreadable as problem:
            sys.exit(f"{header} cannot be read: {problem}")
        declarations += scan.declarations
        for line, said in scan.found:
            allowed = [(name, words) for name, words in EXCEPTIONS if name == header and words in said]
            unused.difference_update(allowed)
            if not allowed:
                wrong.append(f"  {header}:{line}: {said}")
    if not arguments and declarations < 1000:
        sys.exit(f"only {declarations} declarations were found: this script is blind")
    if not arguments and unused:
        wrong += [f"  {header}: an exception that is none: {words}" for header, words in sorted(unused)]
    if wrong:
        sys.exit("what a public declaration names is public, but these name what is in a namespace `detail`. Publish it, "
                 "or make the declaration private, with its makers as friends:\n" + "\n".join(wrong))
    print(f"{declarations} declarations name nothing of a namespace `detail`")


if __name__ == "__main__":
    main(sys.argv[1:])
