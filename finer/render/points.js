// Draws the answers with plotly: what stands on the axes, what they are marked by, which are shown, and those that are selected.
const MOST_LISTED = 100;
const escaped = (words) => words.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const cut = (words, most) => (words.length > most ? words.slice(0, most) + " …" : words);
const names = Object.keys(data.measures);
const all = data.groups.map((_, place) => place);

function select(words, options, chosen, look) {
  const control = element("select", { class: look, onchange: draw }, ...options.map(([value, shown]) => element("option", { value }, shown)));
  control.value = chosen;
  return [control, labelled(words, control)];
}

const pairs = (values) => values.map((value) => [value, value]);
const kept = (by) => [["", `every ${by}`], ...data.marks[by].names.map((name, at) => [String(at), name])];
const [across, acrossLabel] = select("Across (x)", pairs(names), "step", "x-across");
const [up, upLabel] = select("Up (y)", pairs([...names, data.count]), "total", "x-up-axis");
const [mark, markLabel] = select("Colour and symbol", pairs(Object.keys(data.marks)), "status", "x-mark");
const filters = Object.keys(data.marks).map((by) => [by, ...select(`Only this ${by}`, kept(by), "", `x-only-${by}`)]);
const search = element("input", { type: "search", class: "x-search", oninput: draw, placeholder: "words of question or SQL" });
const count = element("p", { class: "x-count f-soft", role: "status" });
const plot = element("div", { class: "x-plot" });
const chosen = element("div", { class: "x-chosen", role: "region", "aria-label": "Selected answers" });
place.append(
  element("div", { class: "x-bar" }, acrossLabel, upLabel, markLabel, ...filters.map((one) => one[2]), labelled("Search", search, "x-wide")),
  count,
  plot,
  chosen,
);

let traces = [];
const named = (by, point) => data.marks[by].names[data.marks[by].of[point]];

function passing() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const asked = filters.filter(([, control]) => control.value !== "");
  return all.filter((point) => {
    if (!asked.every(([by, control]) => data.marks[by].of[point] === Number(control.value))) return false;
    const own = words.length ? `${text(data.questions[point])} ${text(data.sql[point])}`.toLowerCase() : "";
    return words.every((word) => own.includes(word));
  });
}

function hover(point) {
  const head = `step ${data.measures.step[point]} · group ${data.groups[point]} · answer ${data.positions[point]} · ${named("status", point)}`;
  const figures = `total ${number(data.measures.total[point])} · advantage ${signed(data.measures.advantage[point])}`;
  return [head, figures, cut(text(data.questions[point]), 90), cut(text(data.sql[point]), 90)].map(escaped).join("<br>");
}

function trace(at, points, histogram) {
  const [color, symbol, shape] = data.marks[mark.value].looks[at];
  const xs = points.map((point) => data.measures[across.value][point]);
  const common = { name: escaped(data.marks[mark.value].names[at]), x: xs, showlegend: true };
  if (histogram) return { ...common, type: "histogram", bingroup: "one", marker: { color, pattern: { shape } } };
  const marker = { color, symbol, size: 8, opacity: 0.75, line: { width: 0 } };
  const ys = points.map((point) => data.measures[up.value][point]);
  return { ...common, type: "scatter", mode: "markers", y: ys, marker, hoverinfo: "text", hovertext: points.map(hover) };
}

function layout(histogram) {
  const style = getComputedStyle(home);
  const [ink, grid] = ["--f-ink", "--f-grid"].map((name) => style.getPropertyValue(name).trim());
  const axis = (title) => ({ title: { text: escaped(title) }, gridcolor: grid, zerolinecolor: grid, color: ink });
  return {
    xaxis: axis(across.value), yaxis: axis(histogram ? data.count : up.value), barmode: "stack", dragmode: "select", hovermode: "closest",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink }, margin: { l: 55, r: 10, t: 35, b: 90 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink }, legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom" }, uirevision: `${across.value}/${up.value}`,
  };
}

function draw() {
  const histogram = up.value === data.count;
  const measured = (point) => data.measures[across.value][point] !== null && (histogram || data.measures[up.value][point] !== null);
  const passed = passing();
  const drawn = passed.filter(measured);
  const lack = passed.length - drawn.length;
  count.textContent = `${drawn.length} of ${all.length} answers drawn` + (lack ? `; ${lack} were never scored so` : "");
  const of = data.marks[mark.value].of;
  traces = data.marks[mark.value].names.map((_, at) => drawn.filter((point) => of[point] === at));
  const shown = traces.map((points, at) => trace(at, points, histogram));
  const filled = shown.filter((_, at) => traces[at].length);
  traces = traces.filter((points) => points.length);
  Plotly.react(plot, filled, layout(histogram), data.config);
  list([]);
}

function list(points) {
  const titles = ["step", "group", "question", "status", "total", "advantage", "SQL"];
  if (!points.length) {
    chosen.replaceChildren(element("p", { class: "f-soft" }, "Drag a box or a lasso over points, or click one, and its answers are listed here."));
    return;
  }
  const listed = points.slice(0, MOST_LISTED);
  const more = points.length > listed.length ? `, the first ${listed.length} listed` : "";
  const rows = listed.map((point) => element("tr", {}, ...[
    data.measures.step[point], data.groups[point], text(data.questions[point]), named("status", point),
    number(data.measures.total[point]), advantage(data.measures.advantage[point]), element("code", {}, text(data.sql[point])),
  ].map((value) => element("td", {}, value instanceof Node ? value : String(value)))));
  const head = element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)));
  chosen.replaceChildren(
    element("p", { class: "x-selected", role: "status" }, `${points.length} ${points.length === 1 ? "answer" : "answers"} selected${more}`),
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
  );
}

function meant(event) {
  const points = (event ? event.points : []).flatMap((one) => (one.pointNumbers || [one.pointNumber]).map((at) => traces[one.curveNumber][at]));
  list([...new Set(points)].sort((a, b) => a - b));
}

draw();
plot.on("plotly_selected", meant);
plot.on("plotly_click", meant);
plot.on("plotly_deselect", () => list([]));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
