"""Small charts as SVG, so that the page needs no library: curves over steps, and means with their intervals."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, BOTTOM = 360, 150, 44, 20
COLOURS = 8
"""As many as style.css has classes c0..c7."""
SWATCH = '<svg class="swatch" viewBox="0 0 28 6" aria-hidden="true"><path class="line c{}" d="M0 3H28"/></svg>'


def lines(series: Mapping[str, Points], label: str) -> Markup:
    """The curves of all series over the same axes; empty where no series has two points."""
    drawn = {name: points for name, points in series.items() if len(points) > 1}
    if not drawn:
        return Markup("")
    xs, ys = zip(*(point for points in drawn.values() for point in points), strict=True)
    x, y = _Axis(min(xs), max(xs), LEFT, WIDTH - 4), _Axis(min(ys), max(ys), HEIGHT - BOTTOM, 6)
    parts = [_frame(x, y)]
    for number, (name, points) in enumerate(drawn.items()):
        path = " ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in points)
        line = '<polyline class="line c{}" points="{}"><title>{}</title></polyline>'
        parts.append(Markup(line).format(number % COLOURS, path, name))
    return _svg(Markup("").join(parts), HEIGHT, label) + _legend(list(drawn))


def whiskers(values: Mapping[str, Mapping[str, float]], label: str) -> Markup:
    """One row per name: the mean as a dot, its interval as a line; empty where there is no value."""
    if not values:
        return Markup("")
    low, high = min(v["lo"] for v in values.values()), max(v["hi"] for v in values.values())
    x = _Axis(low, high, 110, WIDTH - 10)
    height = 18 * len(values) + BOTTOM
    parts = []
    for number, (name, value) in enumerate(values.items()):
        y = 18 * number + 12
        row = (
            '<text x="104" y="{0}" text-anchor="end">{1}</text>'
            '<line class="whisker" x1="{2:.1f}" x2="{3:.1f}" y1="{4}" y2="{4}"/>'
            '<circle class="dot" cx="{5:.1f}" cy="{4}" r="4"><title>{1} {6:.3g} ({7:.3g} to {8:.3g})</title></circle>'
        )
        bounds = (value["mean"], value["lo"], value["hi"])
        parts.append(Markup(row).format(y + 4, name, x(value["lo"]), x(value["hi"]), y, x(value["mean"]), *bounds))
    tick = '<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{:.3g}</text>'
    ends = {low: "start", high: "end"}
    parts += [Markup(tick).format(x(end), height - 5, anchor, end) for end, anchor in ends.items()]
    return _svg(Markup("").join(parts), height, label)


class _Axis:
    """Maps values to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return self.start + share * (self.end - self.start)


def _frame(x: _Axis, y: _Axis) -> Markup:
    bottom = HEIGHT - BOTTOM
    ticks = [
        (x.start, HEIGHT - 5, "start", f"{x.low:g}"),
        (x.end, HEIGHT - 5, "end", f"{x.high:g}"),
        (LEFT - 4, bottom, "end", f"{y.low:.3g}"),
        (LEFT - 4, 12, "end", f"{y.high:.3g}"),
    ]
    texts = (Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(*tick) for tick in ticks)
    axes = Markup('<path class="axis" d="M{0} 6V{1}H{2}"/>').format(LEFT, bottom, WIDTH - 4)
    return axes + Markup("").join(texts)


def _svg(content: Markup, height: int, label: str) -> Markup:
    head = '<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    return Markup(head).format(WIDTH, height, label, content)


def _legend(names: Sequence[str]) -> Markup:
    if len(names) < 2:
        return Markup("")
    items = (
        Markup('<span class="key">' + SWATCH + "{}</span>").format(number % COLOURS, escape(name))
        for number, name in enumerate(names)
    )
    return Markup('<p class="legend">{}</p>').format(Markup("").join(items))
