// The matrix of a page: a click on a cell, or the slider, shows the followed answer of a group against the one the time before.
// It runs behind elements.js and difference.js: home, place, data, element and difference are theirs.
const PAGE = 30;
const SVG = "http://www.w3.org/2000/svg";
const FIELDS = ["group", "step", "right", "judged", "answers", "told"];
const rows = data.rows.map((row) => ({
  ...row, label: text(row.label), question: text(row.question), gold: text(row.gold),
  cells: row.cells.map((cell) => Object.fromEntries(cell.map((value, at) => [FIELDS[at], value]))),
}));
let [skip, row, at] = [0, rows[0], 0];

const saidOf = (cell) => `step ${cell.step}: ` + (cell.judged ? `${cell.right} of ${cell.judged} right` : `${cell.answers} answers, not judged`);

function bar(cell) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 18 22", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const tall = cell.judged ? (20 * cell.right) / cell.judged : 0;
  const rectangle = (attributes) => {
    const made = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x: 1, width: 16, ...attributes })) made.setAttribute(key, value);
    svg.append(made);
  };
  rectangle({ y: 21 - tall, height: tall, style: "fill:var(--f-execution)" });
  rectangle({ y: 1, height: 20, style: "fill:none;stroke:var(--f-soft)", "stroke-dasharray": cell.judged ? "none" : "2 2" });
  return svg;
}

// --- the matrix

const find = element("input", { type: "search", placeholder: "words of a question", oninput: draw });
const earlier = element("button", { type: "button", class: "x-earlier", onclick: () => { skip += PAGE; draw(); } }, "◀ earlier steps");
const later = element("button", { type: "button", class: "x-later", onclick: () => { skip -= PAGE; draw(); } }, "later steps ▶");
const holder = element("div", { class: "x-scroll", onkeydown: move });

function draw() {
  const words = find.value.trim().toLowerCase();
  const found = rows.filter((one) => !words || `${one.label} ${one.question}`.toLowerCase().includes(words));
  const every = [...new Set(found.flatMap((one) => one.cells.map((cell) => cell.step)))].sort((one, other) => one - other);
  skip = Math.max(0, Math.min(skip, every.length - PAGE));
  const steps = every.slice(Math.max(0, every.length - skip - PAGE), every.length - skip);
  earlier.disabled = every.length - skip <= PAGE;
  later.disabled = skip === 0;
  const head = element("tr", {}, ...["question", ...steps].map((one) => element("th", { scope: "col" }, String(one))));
  holder.replaceChildren(element("table", { class: "x-matrix" }, element("thead", {}, head), element("tbody", {}, ...found.map((one) => line(one, steps)))));
  mark();
}

function line(one, steps) {
  const places = new Map(one.cells.map((cell, place) => [cell.step, place]));
  const cells = steps.map((step) => element("td", {}, places.has(step) ? button(one, places.get(step)) : null));
  return element("tr", {}, element("th", { scope: "row", title: one.question }, (one.pinned ? "★ " : "") + one.label), ...cells);
}

function button(one, place) {
  const cell = one.cells[place];
  const words = saidOf(cell);
  return element("button", { type: "button", class: "x-cell", "data-group": cell.group, title: words, "aria-label": words, onclick: () => show(one, place) }, bar(cell));
}

function mark() {
  const chosen = String(row.cells[at].group);
  for (const one of holder.querySelectorAll(".x-cell")) one.toggleAttribute("aria-current", one.dataset.group === chosen);
}

function move(event) {
  const [down, right] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key] || [0, 0];
  const here = event.target.closest(".x-cell");
  if (!here || (!down && !right)) return;
  event.preventDefault();
  const box = here.getBoundingClientRect();
  const lines = [...holder.querySelectorAll("tbody tr")];
  const there = lines[lines.indexOf(here.closest("tr")) + down];
  const cells = there ? [...there.querySelectorAll(".x-cell")] : [];
  const far = (one) => Math.abs(one.getBoundingClientRect().left - box.left);
  const next = right ? cells[cells.indexOf(here) + right] : cells.sort((one, other) => far(one) - far(other))[0];
  if (next) next.focus();
}

// --- one group

const slider = element("input", { type: "range", min: 0, class: "x-scrub", oninput: () => show(row, Number(slider.value)) });
const where = element("span", { class: "x-where", role: "status" });
const detail = element("div", { class: "x-detail" });

const follow = element("select", { class: "x-follow", onchange: () => show(row, at) },
  ...Object.entries(data.ways).map(([value, words]) => element("option", { value, selected: value === data.how }, words)));
const sentence = (words) => words[0].toUpperCase() + words.slice(1);

function show(one, place) {
  [row, at] = [one, place];
  const cell = row.cells[at];
  slider.max = row.cells.length - 1;
  slider.value = at;
  slider.setAttribute("aria-valuetext", `step ${cell.step}`);
  where.textContent = `step ${cell.step}, group ${cell.group} (${at + 1} of ${row.cells.length} of this question)`;
  mark();
  const how = follow.value;
  const before = row.cells.slice(0, at).reverse().find((earlier) => earlier.told[how]);
  detail.replaceChildren(
    element("p", { class: "f-question f-text" }, row.question),
    element("p", { class: "f-soft" }, saidOf(cell)),
    ...(cell.told[how] ? answer(cell, before, how) : [element("p", {}, nothing(cell, how))]),
    element("h4", {}, "Gold"), element("pre", {}, row.gold));
}

function nothing(cell, how) {
  if (!cell.told.best) return "This group has no answer.";
  return how === "right" ? "No answer of this group is right." : "The chosen answer is one to another question.";
}

function answer(cell, before, how) {
  const [position, status, total, gain, completion] = cell.told[how];
  const head = element("h3", {}, `${sentence(data.ways[how])}: answer ${position}, total ${number(total)}, advantage ${signed(gain)} `, badge(text(status)));
  const old = before && before.told[how];
  const said = old
    ? `Against the ${data.ways[how]} at step ${before.step}, which was paid ${number(old[2])}:` + (old[4] === completion ? " the same text." : "")
    : "This page holds no earlier answer of this kind to this question.";
  const shown = old ? difference(text(old[4]), text(completion)) : [text(completion)];
  return [head, element("p", { class: "f-soft" }, said), element("pre", { class: "d-text" }, ...shown)];
}

if (!rows.length) return place.append(element("p", { class: "f-soft" }, "No question to show yet."));
place.append(
  element("div", { class: "x-bar" }, labelled("Search", find, "x-wide"), earlier, later), holder,
  element("div", { class: "x-bar" }, labelled("Scrub this question", slider, "x-wide"), labelled("Follow the", follow), where), detail);
draw();
const chosen = rows.find((one) => one.cells.some((cell) => cell.group === data.chosen)) || rows[0];
const there = chosen.cells.findIndex((cell) => cell.group === data.chosen);
show(chosen, there < 0 ? chosen.cells.length - 1 : there);
