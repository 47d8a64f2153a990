"""A run's answers as points: any measure over any other, marked by status, database or difficulty; a box selects answers.

What stands in the notebook is a small SVG. plotly, some 5 MB that would go to the browser and into a saved notebook, comes
only when a person presses the button; from then on the figure holds still under the hand until it is asked to read again.

Not covered: the same as a page (``finer.render.points_page``).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import ipywidgets

from finer.errors import FinerError
from finer.points import points_of
from finer.records import Rollout
from finer.render import Markup, page, section
from finer.render.markup import plain, plain_line, tag
from finer.render.points import COUNT, PointClass, Points, classes, points_chart
from finer.render.points_page import CONFIG, escaped, points_page
from finer.render.style import STYLE, number, signed
from widgets.views import View

REST_FACTOR = 60
"""Reading 5,000 answers takes a third of a second: after t seconds of CPU, a run that trains is not read for 60 t of the clock, of which a busy
machine leaves the training half."""
OPEN, READ_AGAIN = "Zoom and select (plotly, 5 MB)", "Read the run again"
_DRAWN = "_js2py_traceDeltas"
"""The trait that plotly's front end sets when it has drawn; it tells in no other way."""
_GREY = "#7a848e"
"""Of axes and words: readable on light and on dark, since a figure does not hear of the notebook's theme."""
_GRID = "rgba(128,128,128,.25)"


class ExploreView(View):
    """The answers as points. ``selection`` is what a box or a lasso took; the workbench then shows the group that most are of."""

    title = "Explore"
    of_run = True
    _points: tuple[object, Points] | None = None
    _rested = 0.0
    """When the run may be read again while it trains."""
    _drawn: tuple[object, Markup] | None = None
    _offering = False

    def prepare(self) -> None:
        self.figure: Any = None
        """plotly's FigureWidget once it was asked for."""
        self.selected: list[tuple[int, int]] = []
        """(group_id, rollout_id) of the answers in the box."""
        self.x, self.y, self.by = (
            ipywidgets.Dropdown(options=[value], value=value, description=words, layout=ipywidgets.Layout(width="auto", max_width="100%"))
            for words, value in (("Across", "step"), ("Up", "total"), ("Marked by", "status"))
        )
        self.ask = ipywidgets.Button(description=OPEN, layout=ipywidgets.Layout(width="auto"))
        self.says = ipywidgets.HTML()
        controls = ipywidgets.HBox([self.x, self.y, self.by, self.ask], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self._panel = ipywidgets.VBox([controls, self.widget, self.says])
        for control in (self.x, self.y, self.by):
            control.observe(lambda _: self._asked_for(), "value")
        self.ask.on_click(lambda _: self.start())

    @property
    def panel(self) -> ipywidgets.Widget:
        return self._panel

    @property
    def selection(self) -> list[Rollout]:
        """The answers in the box or the lasso, whole, in the order of the run; read from the run when asked."""
        ids = {rollout_id for _, rollout_id in self.selected}
        groups = (self.run.group(group_id) for group_id in dict.fromkeys(group_id for group_id, _ in self.selected))
        return [rollout for group in groups for rollout in group.rollouts if rollout.rollout_id in ids]

    def points(self) -> Points:
        """The answers, read again where the run has a further step; beside a training, a sixtieth of the time at most."""
        state = (self.run.last_step, self.run.status)
        resting = state[1] == "running" and time.monotonic() < self._rested
        if self._points is None or (self._points[0] != state and not resting):
            began = time.thread_time()
            self._points = state, points_of(self.run)
            self._rested = time.monotonic() + REST_FACTOR * (time.thread_time() - began)
            self._offer(self._points[1])
        return self._points[1]

    def _offer(self, points: Points) -> None:
        names = list(points.measures)
        for control, options in ((self.x, names), (self.y, [*names, COUNT]), (self.by, list(points.marks))):
            if list(control.options) != options:
                chosen, self._offering = control.value, True  # new options choose their first by themselves
                control.options = options
                control.value = chosen if chosen in options else options[0]
                self._offering = False

    def fragment(self) -> Markup:
        points = self.points()
        state = (self._points[0], self.x.value, self.y.value, self.by.value)
        if self._drawn is None or self._drawn[0] != state:
            self._drawn = state, points_chart(points, *state[1:])
        return self._drawn[1]

    def static(self) -> Markup:
        return self.fragment()

    def refresh(self) -> None:
        """Draws the small form again; the figure, once it is there, waits until it is asked."""
        if self.figure is None:
            super().refresh()

    def to_html(self) -> str:
        """One self-contained document of 5 MB and more, which zooms, filters and selects; PlotlyMissingError without plotly."""
        return page(f"{self.title}: {self.run.folder.name}", points_page(points_of(self.run)))

    def start(self) -> None:
        """Puts plotly's figure in the place of the small form; where it is there already, reads the run again."""
        with self.choice.lock:
            try:
                self._rested = 0.0  # a person asked
                if self.figure is None:
                    self.figure = _empty_figure()
                    self.figure.observe(self._fit, _DRAWN)
                self._draw()
            except (ImportError, FinerError) as error:
                self._say(f"✗ {error}")
                return
            self.ask.description = READ_AGAIN
            above, _, below = self._panel.children
            self._panel.children = (above, self.figure, below)
            self._say("Drag a box over points, or choose the lasso; a click takes one answer.")

    def _fit(self, _: Any) -> None:
        """Once the browser has drawn: plotly draws 700 pixels wide before the figure has its place, and looks anew at a change of the layout."""
        self.figure.unobserve(self._fit, _DRAWN)
        self.figure.layout.margin.r = 11

    def _asked_for(self) -> None:
        if self._offering:
            return
        with self.choice.lock:
            self.refresh() if self.figure is None else self._draw()

    def _draw(self) -> None:
        points, self._places = self.points(), []
        traces = [self._trace(points, one) for one in classes(points.marks[self.by.value])]
        with self.figure.batch_update():
            self.figure.data = ()
            self.figure.add_traces(traces)
            self.figure.layout.xaxis.title.text = escaped(self.x.value)
            self.figure.layout.yaxis.title.text = escaped(self.y.value)
        self._found: dict[int, list[int]] = {}
        for trace in self.figure.data:
            trace.on_click(lambda trace, points, state: self._choose([self._places[points.trace_index][at] for at in points.point_inds]))
            trace.on_selection(self._boxed)

    def _trace(self, points: Points, one: PointClass) -> dict[str, Any]:
        xs, ys = points.measures[self.x.value], points.measures.get(self.y.value)
        places = [place for place in one.places if xs[place] is not None and (ys is None or ys[place] is not None)]
        self._places.append(places)
        common = {"name": escaped(one.name), "x": [xs[place] for place in places], "showlegend": True}
        if ys is None:
            marker = {"color": one.look.colour, "pattern": {"shape": one.look.pattern}}
            return common | {"type": "histogram", "bingroup": "one", "marker": marker}
        marker = {"color": one.look.colour, "symbol": one.look.symbol, "size": 8, "opacity": 0.75, "line": {"width": 0}}
        hover = [hover_words(points, place) for place in places]
        drawn = {"type": "scatter", "mode": "markers", "marker": marker, "hoverinfo": "text", "hovertext": hover}
        return common | drawn | {"y": [ys[place] for place in places]}

    def _boxed(self, trace: Any, points: Any, selector: Any) -> None:
        """plotly tells one trace after the other what of it lies in the box."""
        self._found[points.trace_index] = list(points.point_inds)
        if points.trace_index == len(self.figure.data) - 1:
            found, self._found = self._found, {}
            self._choose(sorted(self._places[trace][at] for trace, inside in found.items() for at in inside))

    def _choose(self, places: list[int]) -> None:
        points = self._points[1]
        if not places:
            return
        with self.choice.lock:
            self.selected = [(points.group_ids[place], points.rollout_ids[place]) for place in places]
            counts = Counter(group_id for group_id, _ in self.selected)
            group_id, count = counts.most_common(1)[0]
            self._say(f"{_answers(len(places))} selected, of {len(counts):,} groups; the other views show group {group_id}, with {count} of them.")
            try:
                self.choice.pick_several(group_id, tuple(one for group, one in self.selected if group == group_id))
            except FinerError as error:
                self._say(f"✗ {error}")

    def _say(self, words: str) -> None:
        self.says.value = section("", tag("p", plain(words, 600), role="status")).replace(STYLE, "" if self._shared_style else str(STYLE))


def _answers(count: int) -> str:
    return f"{count:,} answer{'' if count == 1 else 's'}"


def hover_words(points: Points, place: int) -> str:
    """What a point says under the pointer, escaped for plotly, which reads some HTML there."""
    measures = points.measures
    group, position, status = points.group_ids[place], points.positions[place], points.marks["status"][place]
    lines = [
        f"step {measures['step'][place]} · group {group} · answer {position} · {status}",
        f"total {number(measures['total'][place])} · advantage {signed(measures['advantage'][place])}",
        plain_line(points.questions[place], 90),
        plain_line(points.sql[place], 90),
    ]
    return "<br>".join(map(escaped, lines))


def _empty_figure() -> Any:
    """A FigureWidget without points, made in the moment that it is asked for: importing plotly takes a second."""
    import plotly.graph_objects as go

    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID}
    figure = go.FigureWidget(layout={
        "template": "none", "dragmode": "select", "hovermode": "closest", "barmode": "stack", "height": 440, "autosize": True,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": _GREY},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": _GREY}, "margin": {"l": 55, "r": 10, "t": 35, "b": 90},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}, "xaxis": axis, "yaxis": axis,
    })  # fmt: skip
    figure._config = figure._config | CONFIG  # the only way in: a FigureWidget takes no settings
    return figure
