# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Colours that people with any kind of colour vision tell apart, and what numbers on axes look like."""
import math

# Okabe and Ito's, without the yellow that white paper swallows; and lighter ones for a dark ground.
LIGHT = {"colours": ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f5f5f"),
         "ground": "#ffffff", "text": "#1c1c1c", "grid": "#d9d9d9", "edge": "#8c8c8c"}
DARK = {"colours": ("#4aa8ff", "#e69f00", "#1fb87a", "#e79ac6", "#f0e442", "#ff7a4a", "#8f949c"),
        "ground": "#16181d", "text": "#e8e8e8", "grid": "#33373f", "edge": "#7d828c"}
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))  # for runs beyond the colours

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def _engineering(value, digits):
    """1234567 with 3 digits as 1.23M; numbers below 10,000 as they are."""
    for factor, letter in _UNITS:
        if abs(value) >= (1e4 if letter == "k" else factor):
            return _plain(value / factor, digits) + letter
    return _plain(value, digits)


def _plain(value, digits):
    if value == 0.0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    exponent = int(exponent)
    if not -4 <= exponent < 15:
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{exponent}"
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tick_texts(values):
    """Texts of ticks: short, with as many digits behind the point each, and apart from each other."""
    largest, spread = max(map(abs, values)), max(values) - min(values)
    factor, letter = next(((f, u) for f, u in _UNITS if largest >= (1e4 if u == "k" else f)), (1.0, ""))
    if 0.0 < largest < 1e-3 or largest >= 1e15:
        return [_engineering(value, 12 if spread else 3) for value in values]
    distance = (spread or largest or 1.0) / factor
    for decimals in range(13):
        texts = ["0" if value == 0.0 else f"{value / factor:,.{decimals}f}{letter}" for value in values]
        near = all(abs(round(value / factor, decimals) - value / factor) <= 1e-3 * distance for value in values)
        if near and len(set(texts)) == len(set(values)):
            return texts
    return [_engineering(value, 12) for value in values]


def weight_text(weight):
    """With two digits of what it lacks to 1: 0.99995."""
    return f"{weight:.{max(2, 1 - math.floor(math.log10(1.0 - weight)))}f}".rstrip("0")


def power_text(value):
    """65536 as 2¹⁶."""
    exponent = math.log2(value) if value > 0 else 0.5
    if not exponent.is_integer():
        return _engineering(value, 3)
    return "2" + str(int(exponent)).translate(_SUPERSCRIPTS)


def value_text(value):
    """A value as the page says it."""
    if not math.isfinite(value):
        return "not finite"
    whole = float(value).is_integer() and abs(value) < 1e9
    return f"{int(value):,}" if whole else _engineering(value, 5)


def shortened(text, most):
    """With dots in its middle where it is too long."""
    text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) <= most:
        return text
    return text[:most // 2 - 1] + "…" + text[len(text) - (most - most // 2):]
