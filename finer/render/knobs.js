// What-if on a page: weights, shaping, margin, gate and scaling are turned, and totals, places and advantages follow, by the same
// formulas as finer.whatif and finer.contributions. It runs behind elements.js and svg.js.
const EPSILON = 1e-4, NO_SPREAD = 1e-12, TIE = 1e-9, MOST_LISTED = 12;
const FIELDS = ["position", "status", "sql", "group", "batch", "scored", "outcome", "passes", "overlap", "bends", "total", "gain", "values"];
const answers = data.answers.map((row) => Object.fromEntries(row.map((value, at) => [FIELDS[at], value])));
const every = answers.map((one, at) => at);
const own = every.filter((at) => answers[at].group === data.own);
const byGroup = answers.map((one) => one.group);
const byStep = answers.map((one) => one.batch);
const atomic = data.parts.indexOf("atomic");
const SCALES = {
  none: "not scaled", group: "by the group's spread", batch: "by the step's spread", parts: "each part first, then the sum",
};

// --- the formulas, over all answers of the page

function means(values, among) {
  const size = Math.max(...among) + 1;
  const sum = (of) => {
    const [sums, counts] = [new Array(size).fill(0), new Array(size).fill(0)];
    answers.forEach((one, at) => { if (one.scored) { sums[among[at]] += of(at); counts[among[at]] += 1; } });
    return sums.map((one, at) => one / Math.max(1, counts[at]));
  };
  const rough = sum((at) => values[at]);
  const rest = sum((at) => values[at] - rough[among[at]]);
  return among.map((at) => rough[at] + rest[at]);
}

function spreads(values, among) {
  const middle = means(values, among);
  const size = Math.max(...among) + 1;
  const [sums, counts] = [new Array(size).fill(0), new Array(size).fill(0)];
  answers.forEach((one, at) => { if (one.scored) { sums[among[at]] += (values[at] - middle[at]) ** 2; counts[among[at]] += 1; } });
  return among.map((at) => Math.sqrt(sums[at] / Math.max(1, counts[at] - 1)));
}

const minus = (values, others) => values.map((one, at) => one - others[at]);
const over = (centred, by) => centred.map((one, at) => (by[at] > NO_SPREAD ? one / (by[at] + EPSILON) : 0));
const weighed = (columns, weights) => answers.map((one, at) => weights.reduce((sum, weight, part) => sum + weight * columns[part][at], 0));
const phi = (knobs, overlap) => knobs.lam * overlap + (1 - knobs.lam) * knobs.beta * overlap ** knobs.gamma;
const paid = (knobs, one, part) => (knobs.gate && !one.passes ? 0 : part === atomic && one.bends ? phi(knobs, one.overlap) : one.values[part]);
const outcomeIs = (at, words) => answers[at].outcome === words;

// What a right answer earns at least and a wrong one at most; null where a part is none of ours.
function bounds(knobs) {
  if (!data.least) return null;
  const sum = (values) => knobs.weights.reduce((total, weight, part) => total + weight * values[part], 0);
  const least = data.least.map((value, part) => (data.parts[part] === "format" && !knobs.gate ? 0 : value));
  return { least: sum(least), most: sum(data.most.map((value, part) => (part === atomic ? phi(knobs, 1) : value))) };
}

function outcome(knobs) {
  const columns = data.parts.map((name, part) => answers.map((one) => paid(knobs, one, part)));
  const bound = bounds(knobs);
  const cap = (total, at) => (knobs.hold && bound && outcomeIs(at, "wrong") ? Math.min(0, bound.least - knobs.margin - total) : 0);
  const totals = weighed(columns, knobs.weights).map((total, at) => total + cap(total, at));
  const normed = (values, among) => over(minus(values, means(values, among)), spreads(values, among));
  let gains;
  if (knobs.scale === "parts") gains = normed(weighed(columns.map((column) => normed(column, byGroup)), knobs.weights), byStep);
  else {
    gains = minus(totals, means(totals, byGroup));
    if (knobs.scale !== "none") gains = over(gains, spreads(totals, knobs.scale === "group" ? byGroup : byStep));
  }
  return { totals, gains: gains.map((one, at) => (answers[at].scored ? one : 0)), atomic: columns[atomic] };
}

// --- what changes, in one group or in all

const groups = grouped(every, (at) => answers[at].group);
const pairsOf = (among) => among.flatMap((one, place) => among.slice(place + 1).map((other) => [one, other]));
const pairs = { group: pairsOf(own), run: groups.flatMap(pairsOf) };
const placesOf = (totals) => new Map(own.map((at) => [at, 1 + own.filter((other) => totals[other] > totals[at] + TIE).length]));
const order = (totals, one, other) => (Math.abs(totals[one] - totals[other]) < TIE ? 0 : Math.sign(totals[one] - totals[other]));
const inverted = (totals, among) => among.flatMap(([one, other]) => [[one, other], [other, one]])
  .filter(([wrong, right]) => outcomeIs(wrong, "wrong") && outcomeIs(right, "right") && totals[wrong] >= totals[right] - TIE);
const silent = (totals, among) => among.filter((members) => {
  const scored = members.filter((at) => answers[at].scored).map((at) => totals[at]);
  return Math.max(...scored) - Math.min(...scored) < TIE;
}).length;
const sign = (value) => Math.sign(Math.round(value * 1e6));

// --- the knobs

function slider(name, label, least, most, value) {
  const readout = element("output", {}, "");
  const input = element("input", {
    type: "range", min: least, max: Math.max(most, value), step: "any", "data-knob": name, "aria-label": label,
    oninput: () => { if (input.step === "any") input.step = 0.01; draw(); },
  });
  const turned = { name, begin: () => { input.step = "any"; input.value = value; }, get value() { return Number(input.value); }, readout };
  turned.shown = element("label", { class: "x-wide" }, element("span", {}, `${label} `, readout), input);
  return turned;
}

function tick(name, label, on) {
  const input = element("input", { type: "checkbox", "data-knob": name, onchange: draw });
  return { begin: () => { input.checked = on; }, get value() { return input.checked; }, shown: element("label", { class: "x-tick" }, input, label) };
}

const weights = data.weights.map((weight, part) => slider(data.parts[part], `Weight of ${data.parts[part]}`, 0, Math.max(2, 2 * weight), weight));
const bends = [["lam", "λ", 0, 1], ["beta", "β", 0, 2], ["gamma", "γ", 0.05, 3]];
const shaping = bends.map(([name, label, least, most]) => slider(name, label, least, most, data.shaping[name]));
const margin = slider("margin", "margin", 0.01, 1, data.margin);
const hold = tick("hold", "hold the margin: cut a wrong answer that comes nearer", data.hold);
const gate = tick("gate", "gate: a broken format pays 0", data.gate);
const select = (look, words) =>
  element("select", { class: look, onchange: draw }, ...Object.entries(words).map(([value, said]) => element("option", { value }, said)));
const scale = select("x-scale", SCALES);
const range = select("x-range", { group: "this group", run: `all ${answers.length.toLocaleString("en")} answers of this page` });
const back = element("button", { type: "button", onclick: () => { begin(); draw(); } }, "Back to the start");
const said = element("p", { role: "status" });
const warning = element("p", { class: "w-note" });
const chart = element("div", { class: "i-charts" });
const table = element("div", {});
const list = element("div", {});
const knobs = [...weights, ...(atomic < 0 ? [] : shaping), margin];

function begin() {
  [...weights, ...shaping, margin, hold, gate].forEach((one) => one.begin());
  scale.value = data.scale;
}

function settings() {
  const [lam, beta, gamma] = shaping.map((one) => one.value);
  return { weights: weights.map((one) => one.value), lam, beta, gamma, margin: margin.value, hold: hold.value, gate: gate.value, scale: scale.value };
}

// --- drawing

function draw() {
  const turned = settings();
  knobs.forEach((one) => { one.readout.textContent = one.value.toFixed(2); });
  const { totals, gains, atomic: values } = outcome(turned);
  const before = answers.map((one) => one.total);
  const [among, members] = range.value === "group" ? [pairs.group, own] : [pairs.run, every];
  const held = range.value === "group" ? [own] : groups;
  const flips = among.filter(([one, other]) => order(before, one, other) * order(totals, one, other) < 0).length;
  const changed = members.filter((at) => sign(answers[at].gain) * sign(gains[at]) < 0).length;
  const now = inverted(totals, among);
  said.textContent = `${flips} of ${among.length} pairs of answers change places; ${changed} of ${members.length} advantages change sign; `
    + `groups without a signal: ${silent(totals, held)} (${silent(before, held)} before).`;
  warn(turned);
  chart.replaceChildren(...(atomic < 0 ? [] : [curve(turned, members, values)]));
  table.replaceChildren(...(range.value === "group" ? [rows(totals, gains, before)] : []));
  list.replaceChildren(...inversions(now, inverted(before, among).length, totals));
}

function warn(turned) {
  const bound = bounds(turned);
  const gap = bound ? bound.least - bound.most : Infinity;
  warning.hidden = gap >= turned.margin - 1e-9;
  if (warning.hidden) return;
  warning.textContent = `⚠ Training would refuse this: a right answer is paid at least ${number(bound.least, 3)}, a wrong one up to `
    + `${number(bound.most, 3)}; between them lie ${number(gap, 3)}, and the margin is ${number(turned.margin, 3)}.`;
}

function curve(turned, members, values) {
  const [wide, tall, left, low] = [420, 230, 34, 200];
  const known = members.filter((at) => answers[at].overlap !== null);
  const top = Math.max(1, phi(turned, 1), ...known.map((at) => values[at]));
  const x = (overlap) => left + overlap * (wide - left - 14);
  const y = (value) => low - (value / top) * (low - 12);
  const line = [...Array(41).keys()].map((place) => (place / 40) ** 2).map((overlap) => `${x(overlap).toFixed(1)},${y(phi(turned, overlap)).toFixed(1)}`);
  const at = (one) => `${answers[one].overlap.toFixed(3)} ${values[one].toFixed(3)} ${answers[one].outcome === "right"}`;
  const dots = grouped(known, at).map((alike) => {
    const [one, right] = [alike[0], answers[alike[0]].outcome === "right"];
    const words = `${alike.length} ${right ? "right" : "not right"}: J = ${number(answers[one].overlap, 3)}, value ${number(values[one], 3)}`;
    const radius = 3 + Math.min(4, 0.8 * Math.sqrt(alike.length - 1));
    return drawn("circle", { cx: x(answers[one].overlap), cy: y(values[one]), r: radius, class: `i-dot ${right ? "s-execution" : "s-down"}` }, titled(words));
  });
  const ticks = [0, 0.5, 1].map((value) => drawn("text", { x: x(value), y: low + 15, "text-anchor": "middle" }, String(value)));
  const caption = `Shaping φ(J) = λJ + (1 − λ)βJ^γ over the overlap J: ● right, ○ not right; the top is ${number(top)}`;
  const picture = drawn("svg", { viewBox: `0 0 ${wide} ${tall}`, role: "img", "aria-label": caption },
    drawn("line", { x1: x(0), y1: low, x2: x(1), y2: low, class: "c-axis" }),
    drawn("line", { x1: x(0), y1: y(0), x2: x(1), y2: y(1), class: "i-margin" }, titled("value = J")),
    ...ticks, drawn("polyline", { points: line.join(" "), class: "i-line s-atomic" }), ...dots);
  return element("figure", {}, element("figcaption", {}, caption), picture);
}

function rows(totals, gains, before) {
  const [old, now] = [placesOf(before), placesOf(totals)];
  const widest = Math.max(1e-9, ...own.map((at) => Math.abs(gains[at])));
  const sorted = [...own].sort((one, other) => totals[other] - totals[one] || answers[one].position - answers[other].position);
  const head = element("tr", {}, ...["#", "status", "total", "rank", "advantage", "", "SQL"].map((words) => element("th", { scope: "col" }, words)));
  const body = sorted.map((at) => rowOf(at, totals[at], gains[at], old.get(at), now.get(at), widest));
  return element("table", { class: "x-turned" }, element("thead", {}, head), element("tbody", {}, ...body));
}

function rowOf(at, total, gain, old, now, widest) {
  const one = answers[at];
  const exact = (value, words, name) => element("td", { class: "x-figure", "data-name": name, "data-value": value, title: String(value) }, words);
  const bar = element("i", { class: gain < 0 ? "x-down" : "x-up", style: `width:${((100 * Math.abs(gain)) / widest).toFixed(1)}%` });
  return element("tr", { "data-position": one.position },
    element("td", {}, String(one.position)), element("td", {}, badge(text(one.status))),
    exact(total, `${number(one.total)} → ${number(total)}`, "total"),
    exact(now, old === now ? String(now) : `${old} → ${now} ${now < old ? "↑" : "↓"}`, "rank"),
    exact(gain, `${signed(one.gain)} → ${advantage(gain)}`, "advantage"),
    element("td", { class: "x-gain" }, bar), element("td", {}, element("code", {}, text(one.sql))));
}

function inversions(found, earlier, totals) {
  const where = (at) => (range.value === "group" ? "" : `group ${data.groups[answers[at].group]}: `);
  const widest = [...found].sort(([one, other], [wrong, right]) => totals[wrong] - totals[right] - (totals[one] - totals[other]));
  const named = (at) => `answer ${answers[at].position}`;
  const words = ([wrong, right]) =>
    `${where(wrong)}wrong ${named(wrong)} is paid ${number(totals[wrong], 3)}, right ${named(right)} ${number(totals[right], 3)}`;
  const items = widest.slice(0, MOST_LISTED).map((pair) => element("li", {}, words(pair)));
  const more = found.length > MOST_LISTED ? [element("p", { class: "f-soft" }, `… and ${found.length - MOST_LISTED} more`)] : [];
  const head = element("h4", { class: "x-inverted" }, `Wrong paid at least as much as right: ${found.length} pairs (${earlier} before)`);
  return [head, element("ul", {}, ...items), ...more];
}

begin();
place.append(
  element("div", { class: "x-bar" }, ...knobs.map((one) => one.shown)),
  element("div", { class: "x-bar" }, labelled("Over", range), labelled("Advantages", scale),
    ...(data.parts.includes("format") ? [gate.shown] : []), hold.shown, back),
  said, warning, chart, table, list);
draw();
