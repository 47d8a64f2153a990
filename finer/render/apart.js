// Two runs compared in a page: filter by change and by part, search; the largest move first, as in a notebook.
// It runs behind elements.js: place, data and element are its.
const PAGE = 50;
const LEAST = 0.05;
const WORDS = { gained: "▲ gained", lost: "▼ lost", same: "= same" };
const SIDE = ["right", "status", "sql", "group", "step"];
const pairs = data.pairs.map(([change, about, first, second, moves]) => {
  const sides = [first, second].map((side) => Object.fromEntries(side.map((value, at) => [SIDE[at], value])));
  const words = [text(about), ...sides.map((side) => text(side.sql))];
  return { change, about: words[0], sides, moves, hay: words.join("\n").toLowerCase() };
});

const options = (choices) => element("select", { onchange: draw }, ...choices.map(([value, words]) => element("option", { value }, words)));
const find = element("input", { type: "search", placeholder: "question or SQL", oninput: draw });
const change = options([["changed", "gained and lost"], ["gained", "gained"], ["lost", "lost"], ["", "all"]]);
const part = options([["", "any"], ...data.parts.map((name, at) => [at, name])]);
const count = element("p", { role: "status", class: "f-soft x-count" });
const holder = element("div", {});

function draw() {
  const words = find.value.trim().toLowerCase();
  const by = part.value === "" ? null : Number(part.value);
  const size = (pair) => Math.abs(by === null ? pair.sides[1].right - pair.sides[0].right : pair.moves[by] ?? 0);
  const wanted = (pair) => (change.value === "changed" ? by !== null || pair.change !== "same" : !change.value || pair.change === change.value);
  const found = pairs.filter((pair) => wanted(pair) && (by === null || size(pair) >= LEAST) && (!words || pair.hay.includes(words)));
  found.sort((one, other) => size(other) - size(one));
  count.textContent = `${found.length.toLocaleString("en")} of ${pairs.length.toLocaleString("en")} questions`;
  const head = element("tr", {}, ...["question", ...data.names].map((name) => element("th", { scope: "col" }, name)));
  const rows = element("tbody", {});
  holder.replaceChildren(element("table", { class: "y-pairs" }, element("thead", {}, head), rows));
  more(rows, found, by, 0);
}

function more(rows, found, by, from) {
  rows.append(...found.slice(from, from + PAGE).map((pair) => line(pair, by)));
  if (from + PAGE >= found.length) return;
  const next = element("button", { type: "button", onclick: () => { row.remove(); more(rows, found, by, from + PAGE); } }, "more");
  const row = element("tr", {}, element("td", { colspan: 3 }, next));
  rows.append(row);
}

function line(pair, by) {
  const moved = by === null ? null : element("div", { class: "f-soft" }, `${data.parts[by]} ${signed(pair.moves[by])}`);
  const about = element("td", {}, element("b", { class: `y-${pair.change}` }, WORDS[pair.change]), element("div", { class: "f-text" }, pair.about), moved);
  return element("tr", {}, about, ...pair.sides.map(sideOf));
}

function sideOf(side) {
  const code = element("code", {}, text(side.sql) || "(no SQL)");
  if (side.group === null) return element("td", {}, badge(text(side.status)), " ", code);
  const said = `${Math.round(100 * side.right)}% right at step ${side.step}, group ${side.group}`;
  return element("td", {}, element("div", { class: "f-soft" }, said), code);
}

place.append(element("div", { class: "x-bar" }, labelled("Search", find, "x-wide"), labelled("Show", change), labelled("Part moved", part)), count, holder);
draw();
