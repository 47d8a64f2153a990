// The memory through time, for one thought: a slider over the steps, the nearest traces of each, and the map on which they light up.
// It runs behind elements.js and svg.js.
const [WIDE, TALL, MARGIN] = [640, 400, 22];
const TRACE = ["thought", "db", "source", "id", "x", "y", "step", "serves"];
const STEP = ["step", "similarity", "traces", "near", "listed", "centroid", "reason"];
const named = (fields, row) => Object.fromEntries(row.map((value, at) => [fields[at], value]));
const traces = data.traces.map((row) => named(TRACE, row));
const steps = data.steps.map((row) => named(STEP, row));
const about = (one) => `${text(one.db)}, trace ${one.id}, ${text(one.source)}`;
let [at, chosen] = [Math.max(0, steps.findIndex((one) => one.step === data.own)), null];

const goTo = (to) => { [at, chosen] = [to, null]; draw(); };
const slider = element("input", { type: "range", min: 0, max: steps.length - 1, class: "x-as-of", oninput: () => goTo(Number(slider.value)) });
const own = element("button", { type: "button", onclick: () => goTo(steps.findIndex((one) => one.step === data.own)) }, "its own step");
const said = element("p", { role: "status" });
const line = element("figure", { class: "f-panel x-line" });
const map = element("figure", { class: "x-map" });
const list = element("ol", { class: "m-list" });
const detail = element("div", { class: "x-trace", "aria-live": "polite" });

// --- the similarity over the steps

function drawLine(now) {
  const known = steps.filter((one) => one.similarity !== null);
  if (!known.length) return line.replaceChildren();
  const [low, high] = [Math.min(...known.map((one) => one.similarity)), Math.max(...known.map((one) => one.similarity))];
  const [first, last] = [steps[0].step, steps.at(-1).step];
  const x = (step) => 8 + (384 * (step - first)) / Math.max(1, last - first);
  const room = Math.max(0.02, 0.1 * (high - low));
  const y = (value) => 84 - (70 * (value - low + room)) / (high - low + 2 * room);
  const points = known.map((one) => `${x(one.step).toFixed(1)},${y(one.similarity).toFixed(1)}`).join(" ");
  const dot = (one, r, look) =>
    drawn("circle", { cx: x(one.step), cy: y(one.similarity), r, class: look }, titled(`step ${one.step}: ${number(one.similarity, 4)}`));
  const mine = known.filter((one) => one.step === data.own).map((one) => dot(one, 5, "s-total"));
  const here = now.similarity === null ? [] : [dot(now, 4, "s-memory x-here")];
  const words = `Similarity as of steps ${first} to ${last}, from ${number(low, 4)} to ${number(high, 4)}; the large dot is the answer's own step, `
    + "the ring the chosen one";
  const look = { viewBox: "0 0 400 92", role: "img", "aria-label": "similarity as of each step" };
  line.replaceChildren(element("figcaption", {}, words), drawn("svg", look, drawn("polyline", { points, class: "c-line s-memory" }), ...mine, ...here));
}

// --- the map

const places = [...traces, ...[data.thought, ...steps.map((one) => one.centroid)].filter(Boolean).map(([x, y]) => ({ x, y }))];
const ends = (numbers) => [Math.min(...numbers), Math.max(...numbers)];
const [left, right, bottom, top] = ["x", "y"].flatMap((axis) => ends(places.map((one) => one[axis])));
const unit = Math.max((right - left) / (WIDE - 2 * MARGIN), (top - bottom) / (TALL - 2 * MARGIN)) || 1;
const across = (x) => WIDE / 2 + (x - (left + right) / 2) / unit;
const up = (y) => TALL / 2 - (y - (bottom + top) / 2) / unit;
const SHAPES = { near: "m0,-6 l5.5,10 h-11 z", centroid: "m0,-8 l8,8 l-8,8 l-8,-8 z", thought: "m-8,0 h16 m-8,-8 v16" };
const path = (kind, x, y, words) =>
  drawn("path", { d: `M${across(x).toFixed(1)},${up(y).toFixed(1)} ${SHAPES[kind]}`, class: `mm-${kind}` }, titled(words));

function mark(place, rank) {
  const one = traces[place];
  const words = (rank ? `nearest no. ${rank}: ` : "") + about(one);
  const look = `mm-other${one.serves ? "" : " mm-hollow"}`;
  const [x, y] = [across(one.x), up(one.y)];
  const square = () => drawn("rect", { x: x - 3, y: y - 3, width: 6, height: 6, class: look }, titled(words));
  const dot = () => drawn("circle", { cx: x, cy: y, r: 2.5, class: look }, titled(words));
  const shape = rank ? path("near", one.x, one.y, words) : one.step ? square() : dot();
  const label = rank && rank <= data.named ? drawn("text", { x: x + 7, y: y + 4, class: "mm-rank" }, String(rank)) : null;
  const made = drawn("g", { "data-trace": String(place), class: place === chosen ? "x-chosen" : "" }, shape, label);
  made.addEventListener("click", () => choose(place));
  return made;
}

function drawMap(now) {
  if (!traces.length) return map.replaceChildren();
  const visible = traces.map((one, place) => place).filter((place) => traces[place].step < now.step && !now.near.includes(place));
  const [thought, centroid] = [data.thought, now.centroid];
  const [from, to] = [thought, centroid].map((point) => point && [across(point[0]), up(point[1])]);
  const link = from && to ? drawn("line", { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: "mm-link" }) : null;
  const marks = [...visible.map((place) => mark(place, 0)), ...now.near.map((place, rank) => mark(place, rank + 1)).reverse()];
  const look = { viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": `the memory as step ${now.step} saw it, on a plane` };
  const middle = centroid ? path("centroid", ...centroid, "the centroid of the nearest traces") : null;
  map.replaceChildren(drawn("svg", look, ...marks, link, middle, thought ? path("thought", ...thought, "the thought of this answer") : null));
}

// --- the nearest traces, and one of them

function row([place, similarity], rank) {
  const open = () => choose(place);
  const is = { class: `m-row x-near${place === chosen ? " f-chosen" : ""}`, tabindex: 0, "data-trace": place, "aria-current": place === chosen ? "true" : null };
  const does = { onclick: open, onkeydown: (event) => event.key === "Enter" && open() };
  const lights = { onmouseenter: () => light(place), onfocus: () => light(place), onmouseleave: () => light(chosen) };
  const words = element("div", { class: "f-text" }, text(traces[place].thought).slice(0, 300));
  return element("li", { ...is, ...does, ...lights }, element("div", {}, element("b", {}, `${rank + 1} · ${number(similarity, 3)}`)),
    element("div", {}, words, element("div", { class: "f-soft" }, about(traces[place]))));
}

function light(place) {
  for (const one of map.querySelectorAll("[data-trace]")) one.classList.toggle("x-chosen", Number(one.dataset.trace) === place);
}

function choose(place) {
  chosen = place;
  const focused = document.activeElement.closest(".x-near");
  draw();
  if (focused) list.querySelector(`[data-trace="${focused.dataset.trace}"]`)?.focus();
}

function drawDetail(now) {
  if (chosen === null) return detail.replaceChildren(element("p", { class: "f-soft" }, "Choose a trace in the list or on the map to read all of it."));
  const rank = now.near.indexOf(chosen) + 1;
  const words = rank ? `Nearest no. ${rank} as of step ${now.step}` : `Not among the ${now.near.length} nearest as of step ${now.step}`;
  const one = traces[chosen];
  detail.replaceChildren(element("h4", {}, words), element("p", { class: "f-soft" }, about(one)), element("blockquote", {}, text(one.thought)));
}

function draw() {
  const now = steps[at];
  slider.value = at;
  slider.setAttribute("aria-valuetext", `step ${now.step}`);
  const against = () => `${signed4(now.similarity - data.recorded)} against the recorded ${number(data.recorded, 4)}.`;
  said.textContent = now.similarity === null ? `As of step ${now.step} it is not compared: ${text(now.reason)}`
    : `As of step ${now.step}: ${number(now.similarity, 4)} among ${now.traces} traces; ${against()}`;
  list.replaceChildren(...now.listed.map(row));
  drawLine(now);
  drawMap(now);
  drawDetail(now);
}

const signed4 = (value) => (Math.abs(value) < 5e-5 ? "0.0000" : (value > 0 ? "+" : "") + number(value, 4));
place.append(element("div", { class: "x-bar" }, labelled("As of step", slider, "x-wide"), own), said, line, map, list, detail);
draw();
