// Sliders over the weights of one group: totals, places and advantages follow, by the same formulas as finer.contributions.
// It runs behind elements.js: home, place, data and element are its.
const EPSILON = 1e-4, NO_SPREAD = 1e-12, TIE = 1e-9;
const FIELDS = ["position", "status", "sql", "group", "scored", "outcome", "total", "gain", "values"];
const answers = data.answers.map((row) => Object.fromEntries(row.map((value, at) => [FIELDS[at], value])));
const own = answers.map((one, at) => at).filter((at) => answers[at].group === data.own);
const byGroup = answers.map((one) => one.group);
const byStep = answers.map(() => 0);
const SCALES = {
  none: "not scaled", group: "by the group's spread", batch: "by the step's spread", parts: "each part first, then the sum",
};

// --- the formulas, over all answers of the step

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

function outcome(weights, scale) {
  const columns = data.parts.map((name, part) => answers.map((one) => one.values[part]));
  const totals = weighed(columns, weights);
  const normed = (values, among) => over(minus(values, means(values, among)), spreads(values, among));
  let gains;
  if (scale === "parts") gains = normed(weighed(columns.map((column) => normed(column, byGroup)), weights), byStep);
  else {
    gains = minus(totals, means(totals, byGroup));
    if (scale !== "none") gains = over(gains, spreads(totals, scale === "group" ? byGroup : byStep));
  }
  return { totals, gains: gains.map((one, at) => (answers[at].scored ? one : 0)) };
}

const placesOf = (totals) => new Map(own.map((at) => [at, 1 + own.filter((other) => totals[other] > totals[at] + TIE).length]));
const order = (totals, one, other) => (Math.abs(totals[one] - totals[other]) < TIE ? 0 : Math.sign(totals[one] - totals[other]));
const pairs = own.flatMap((one, place) => own.slice(place + 1).map((other) => [one, other]));
const outcomeIs = (at, words) => answers[at].outcome === words;
const inverted = (totals) => pairs.flatMap(([one, other]) => [[one, other], [other, one]])
  .filter(([wrong, right]) => outcomeIs(wrong, "wrong") && outcomeIs(right, "right") && totals[wrong] >= totals[right] - TIE).length;

// --- the controls

const sliders = data.weights.map((weight, part) => {
  const shown = element("output", {}, weight.toFixed(2));
  const made = element("input", {
    type: "range", min: 0, max: Math.max(2, 2 * weight), step: "any", value: weight, "data-part": data.parts[part], "aria-label": `Weight of ${data.parts[part]}`,
    oninput: () => { if (made.step === "any") made.step = 0.01; draw(); },
  });
  made.readout = shown;
  return made;
});
const scale = element("select", { class: "x-scale", onchange: draw }, ...Object.entries(SCALES).map(([value, words]) => element("option", { value }, words)));
const back = element("button", { type: "button", onclick: () => { begin(); draw(); } }, "Back to the start");
const said = element("p", { role: "status" });
const table = element("div", {});

function begin() {
  sliders.forEach((one, part) => { one.step = "any"; one.value = data.weights[part]; });
  scale.value = data.scale;
}

function draw() {
  const weights = sliders.map((one) => Number(one.value));
  sliders.forEach((one) => { one.readout.textContent = Number(one.value).toFixed(2); });
  const { totals, gains } = outcome(weights, scale.value);
  const before = answers.map((one) => one.total);
  const flips = pairs.filter(([one, other]) => order(before, one, other) * order(totals, one, other) < 0).length;
  said.textContent = `${flips} of ${pairs.length} pairs of answers change places; a wrong answer is paid at least as much as a right one in `
    + `${inverted(totals)} pairs (${inverted(before)} before).`;
  const [old, now] = [placesOf(before), placesOf(totals)];
  const widest = Math.max(1e-9, ...own.map((at) => Math.abs(gains[at])));
  const sorted = [...own].sort((one, other) => totals[other] - totals[one] || answers[one].position - answers[other].position);
  const head = element("tr", {}, ...["#", "status", "total", "rank", "advantage", "", "SQL"].map((words) => element("th", { scope: "col" }, words)));
  const body = sorted.map((at) => rowOf(at, totals[at], gains[at], old.get(at), now.get(at), widest));
  table.replaceChildren(element("table", { class: "x-turned" }, element("thead", {}, head), element("tbody", {}, ...body)));
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

begin();
place.append(
  element("div", { class: "x-bar" }, ...sliders.map((one, part) => element("label", { class: "x-wide" }, element("span", {}, `${data.parts[part]} `, one.readout), one)),
    labelled("Advantages", scale), back),
  said, table);
draw();
