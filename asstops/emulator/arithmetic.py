"""Arithmetic for the code interpreter of the emulator: numbers and operators, nothing else.

Owns finding an expression in a text and working it out. It never runs code: an expression is parsed, and
only its numbers and the usual operators are looked at.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

_LONGEST = 200
_LARGEST = 10**30  # of a number on the way; keeps powers from running away
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_EXPRESSION = re.compile(r"[-+(]*\s*\d[\d\s.+\-*/%^()]*")
_ASKS = re.compile(r"(?i)\b(calculate|compute|evaluate|what is|what's|how much is|work out|sum|add|times|plus|minus)\b")


class NotArithmetic(ValueError):
    """The text is no arithmetic expression."""


def find(text: str) -> str | None:
    """Return the first expression that a text asks to have worked out: at least one operator, two numbers."""
    if not _ASKS.search(text):
        return None
    for match in _EXPRESSION.finditer(text[:10_000]):
        found = match.group().strip().rstrip("+-*/%^(. ").replace("^", "**")
        while found.count(")") > found.count("(") and found.endswith(")"):
            found = found[:-1].rstrip()
        try:
            tree = _parse(found)
        except NotArithmetic:
            continue
        if isinstance(tree.body, ast.BinOp):
            return found
    return None


def evaluate(expression: str) -> str:
    """Return what Python would print for the expression; a division by zero is returned as its error."""
    try:
        value = _value(_parse(expression).body)
    except ZeroDivisionError as error:
        return f"ZeroDivisionError: {error}"
    except OverflowError as error:
        return f"OverflowError: {error}"
    return str(value)


def _parse(expression: str) -> ast.Expression:
    if len(expression) > _LONGEST:
        raise NotArithmetic("too long")
    try:
        tree = ast.parse(expression, mode="eval")
        _check(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotArithmetic(str(error)) from error
    return tree


def _check(node: ast.expr) -> None:
    if isinstance(node, ast.BinOp) and (type(node.op) in _BINARY or isinstance(node.op, ast.Pow)):
        _check(node.left)
        _check(node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        _check(node.operand)
    elif not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
        raise NotArithmetic("only numbers and operators are worked out")


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, (int, float))
        return _bounded(node.value)
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    assert isinstance(node, ast.BinOp)
    left, right = _value(node.left), _value(node.right)
    if isinstance(node.op, ast.Pow):
        return _power(left, right)
    return _bounded(_BINARY[type(node.op)](left, right))


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > 128 or (base < 0 and exponent != int(exponent)):
        raise OverflowError("the power is out of range")
    return _bounded(base**exponent)


def _bounded(value: float) -> float:
    if not -_LARGEST <= value <= _LARGEST:
        raise OverflowError("the number is out of range")
    return value
