# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One page of HTML that needs nothing else: the picture, what values are, and the last ones as a table."""
import html

from .quantities import quantity
from .style import value_text


def page(svg, title, theme, points, runs, lines, x_title):
    drawn = svg[svg.index("<svg"):]
    hover = "".join(_point(*point, x_title) for point in points)
    drawn = drawn.replace("</svg>", f'<g id="values" fill-opacity="0">{hover}</g></svg>')
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
            f"<style>\nbody {{ background: {theme['ground']}; color: {theme['text']}; font-family: sans-serif; "
            "margin: 1em auto; max-width: 75em }\n"
            "svg { width: 100%; height: auto }\n#values circle:hover { fill-opacity: 1 }\n"
            f"table {{ border-collapse: collapse }}\ntd, th {{ border-bottom: 1px solid {theme['grid']}; "
            "padding: 0.2em 0.8em; text-align: right }\ntd:first-child, th:first-child { text-align: left }\n"
            f"</style>\n</head>\n<body>\n{drawn}\n{_table(runs, lines, x_title)}</body>\n</html>\n")


def _point(x, y, colour, line, at, value, x_title):
    smooth = ", smoothed" if line.smooth else ""
    text = f"{line.run.label}: {quantity(line.name).title}{smooth} {value_text(value)} at {x_title} {value_text(at)}"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{html.escape(text)}</title></circle>'


def _table(runs, lines, x_title):
    """The last value of each curve of each run, and the lowest of losses."""
    columns = []
    for name in lines:
        columns.append((f"{quantity(name).title}, last", name, lambda line: line.ys[-1]))
        if "loss" in name and name != "loss_scale":
            columns.append((f"{quantity(name).title}, lowest", name, lambda line: (line.extremes() or (float("nan"),))[0]))
    rows = "".join(f"<th>{html.escape(column)}</th>" for column, _, _ in columns)
    text = f"<table>\n<tr><th>run</th><th>last {x_title}</th>{rows}</tr>\n"
    for at, run in enumerate(runs):
        own = {name: next((line for line in members if line.at == at), None) for name, members in lines.items()}
        last = max((line.xs[-1] for line in own.values() if line), default=float("nan"))
        cells = "".join(f"<td>{value_text(read(own[name])) if own[name] else ''}</td>" for _, name, read in columns)
        text += f"<tr><td>{html.escape(run.label)}</td><td>{value_text(last)}</td>{cells}</tr>\n"
    return text + "</table>\n"
