// Questions down, steps across; a click or Enter on a cell chooses that group, the slider scrubs one question through time.

const SVG = "http://www.w3.org/2000/svg";

function bar(cell) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 18 22");
  svg.setAttribute("aria-hidden", "true");
  const rect = (y, height, style, dashes) => {
    const one = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x: 1, y, width: 16, height, style })) one.setAttribute(key, value);
    if (dashes) one.setAttribute("stroke-dasharray", "2 2");
    svg.append(one);
  };
  const tall = cell.judged ? (20 * cell.right) / cell.judged : 0;
  rect(21 - tall, tall, "fill:var(--f-execution)");
  rect(1, 20, "fill:none;stroke:var(--f-soft)", !cell.judged);
  return svg;
}

function render({ model, el }) {
  stands(model, el);
  const root = element("div", { class: "finer-view fx-matrix" });
  el.append(root);
  let typing = 0;
  const ask = (change) => {
    model.set("wanted", { ...model.get("wanted"), ...change });
    model.save_changes();
  };
  const send = (name, value) => {
    model.set(name, { ...value, serial: Date.now() + Math.random() });
    model.save_changes();
  };
  const search = element("input", {
    type: "search", placeholder: "words or the number of a question", "aria-label": "Search questions",
    oninput: (event) => {
      clearTimeout(typing);
      const text = event.target.value;
      typing = setTimeout(() => ask({ text, skip: 0 }), 150);
    },
  });
  const move = (by) => ask({ skip: Math.max(0, model.get("matrix").skip + by) });
  const earlier = element("button", { type: "button", onclick: () => move(model.get("matrix").steps.length) }, "◀ earlier steps");
  const later = element("button", { type: "button", onclick: () => move(-model.get("matrix").steps.length) }, "later steps ▶");
  const said = element("p", { class: "f-soft", role: "status", "aria-live": "polite" });
  const holder = element("div", { class: "fx-scroll" });
  const slider = element("input", {
    type: "range", min: "0", "aria-label": "Scrub the chosen question through time",
    oninput: (event) => {
      const group = model.get("matrix").scrub[Number(event.target.value)];
      clearTimeout(typing);
      typing = setTimeout(() => send("pick", { group }), 60);
    },
  });
  const where = element("output", {});
  const scrub = element("label", { class: "fx-scrub" }, "scrub ", slider, where);
  const ways = Object.entries(model.get("matrix").ways).map(([value, words]) => element("option", { value }, words));
  const follow = element("select", { "aria-label": "Which answer to follow", onchange: () => ask({ how: follow.value }) }, ...ways);
  const following = element("label", { class: "fx-follow" }, "follow the ", follow);
  root.append(element("div", { class: "fx-form" }, search, earlier, later), said, holder, following, scrub);

  function go(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const here = event.target.closest("button[data-group]");
    if (!by || !here) return;
    event.preventDefault();
    const rows = [...holder.querySelectorAll("tbody tr")];
    const line = rows[rows.indexOf(here.closest("tr")) + by[0]];
    if (!line) return;
    const cells = [...line.querySelectorAll("button[data-group]")];
    const at = Number(here.dataset.column);
    const next = by[0]
      ? cells.reduce((best, cell) => (!best || Math.abs(cell.dataset.column - at) < Math.abs(best.dataset.column - at) ? cell : best), null)
      : cells[cells.indexOf(here) + by[1]];
    next?.focus();
  }

  function cell(one, column, chosen) {
    return element("td", {}, element("button", {
      type: "button", class: "fx-cell", "data-group": one.group, "data-column": column, title: one.words,
      "aria-label": one.words, "aria-current": one.group === chosen ? "true" : null, onclick: () => send("pick", { group: one.group }),
    }, bar(one)));
  }

  function line(row, steps, chosen) {
    const at = new Map(row.cells.map((one) => [one.step, one]));
    const pin = element("button", {
      type: "button", class: "fx-pin", "aria-pressed": String(row.pinned), "aria-label": "Pin this question",
      onclick: () => send("pin", { question: row.id, pinned: !row.pinned }),
    }, row.pinned ? "★" : "☆");
    const cells = steps.map((step, column) => (at.has(step) ? cell(at.get(step), column, chosen) : element("td", {})));
    return element("tr", {}, element("th", { scope: "row", title: row.label }, pin, " ", row.label), ...cells);
  }

  function draw() {
    const shown = model.get("matrix");
    const focused = holder.contains(document.activeElement) ? document.activeElement.dataset.group : null;
    said.textContent = shown.said;
    const head = element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "question"),
      ...shown.steps.map((step) => element("th", { scope: "col" }, String(step)))));
    const body = element("tbody", { onkeydown: go }, ...shown.rows.map((row) => line(row, shown.steps, shown.chosen)));
    holder.replaceChildren(element("table", {}, head, body));
    earlier.disabled = !shown.earlier;
    later.disabled = shown.skip === 0;
    const at = shown.scrub.indexOf(shown.chosen);
    scrub.hidden = at < 0 || shown.scrub.length < 2;
    if (document.activeElement !== follow) follow.value = shown.how;
    slider.max = String(Math.max(0, shown.scrub.length - 1));
    if (document.activeElement !== slider) slider.value = String(at);
    where.textContent = ` ${at + 1} of ${shown.scrub.length} groups of this question`;
    if (focused) holder.querySelector(`[data-group="${focused}"]`)?.focus();
  }
  model.on("change:matrix", draw);
  draw();
  return () => model.off("change:matrix", draw);
}

export default { render };
