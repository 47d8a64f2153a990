// The table of all answers: shows the page it was sent, sends back what was asked for. Text is only ever set as text.

const COLUMNS = [
  ["pinned", "pin", ""], ["step", "step", "step"], ["question", "question", "db_id"], ["status", "status", "status"],
  ["total", "total", "total"], ["advantage", "advantage", "advantage"], ["tokens", "tokens", "length_tokens"], ["sql", "SQL", ""],
];

function render({ model, el }) {
  stands(model, el);
  const root = element("div", { class: "finer-view fr-rollouts" });
  el.append(root);
  let typing = 0;

  const ask = (change) => {
    model.set("wanted", { ...model.get("wanted"), start: 0, ...change });
    model.save_changes();
  };
  const send = (name, value) => {
    model.set(name, { ...value, serial: Date.now() + Math.random() });
    model.save_changes();
  };
  const select = (label, key) => element("select", { "aria-label": label, "data-key": key, onchange: (event) => ask({ [key]: event.target.value }) });
  const number = (label, key) => element("input", {
    type: "number", step: "any", placeholder: label, "aria-label": label,
    onchange: (event) => ask({ [key]: event.target.value === "" ? null : Number(event.target.value) }),
  });

  const search = element("input", {
    type: "search", placeholder: "words in the answer or the question", "aria-label": "Search all answers",
    oninput: (event) => {
      clearTimeout(typing);
      const text = event.target.value;
      typing = setTimeout(() => ask({ text }), 150);
    },
  });
  const status = select("Status", "status"), database = select("Database", "db_id"), part = select("Part", "part");
  const pinned = element("input", { type: "checkbox", onchange: (event) => ask({ pinned: event.target.checked }) });
  const form = element("div", { class: "fr-form", role: "search" }, search, status, database,
    number("from step", "first_step"), number("to step", "last_step"), part, number("at least", "low"), number("at most", "high"),
    element("label", {}, pinned, " pinned only"));
  const said = element("p", { class: "f-soft", role: "status", "aria-live": "polite" });
  const holder = element("div", { class: "fr-table" });
  const earlier = element("button", { type: "button", onclick: () => turn(-1) }, "◀ earlier");
  const later = element("button", { type: "button", onclick: () => turn(1) }, "later ▶");
  const note = element("input", {
    type: "text", class: "fr-note", placeholder: "a note on the chosen answer", "aria-label": "Note on the chosen answer", maxlength: "2000",
    onchange: (event) => model.get("page").chosen != null && send("mark", { id: model.get("page").chosen, note: event.target.value }),
  });
  root.append(form, said, holder, element("div", { class: "fr-form" }, earlier, later, note));

  const turn = (direction) => {
    const page = model.get("page");
    ask({ start: Math.max(0, page.start + direction * page.size) });
  };
  const options = (menu, label, names, chosen) => {
    menu.replaceChildren(element("option", { value: "" }, label), ...names.map((name) => element("option", { value: name }, name)));
    menu.value = chosen || "";
  };
  const sortBy = (key) => {
    const { sort, descending } = model.get("page");
    ask({ sort: key, descending: sort === key ? !descending : key === "total" || key === "advantage" });
  };

  function heading([name, title, key], page) {
    if (!key) return element("th", { scope: "col" }, title);
    const on = page.sort === key;
    const arrow = on ? (page.descending ? " ▼" : " ▲") : "";
    return element("th", { scope: "col", "aria-sort": on ? (page.descending ? "descending" : "ascending") : "none" },
      element("button", { type: "button", "data-key": key, onclick: () => sortBy(key) }, title + arrow));
  }

  function line(row, page) {
    const chosen = row.id === page.chosen;
    const pin = element("button", {
      type: "button", class: "fr-pin", "aria-pressed": String(row.pinned), "aria-label": `Pin answer ${row.id}`,
      onclick: (event) => { event.stopPropagation(); send("mark", { id: row.id, pinned: !row.pinned }); },
    }, row.pinned ? "★" : "☆");
    const cells = COLUMNS.map(([name]) => {
      if (name === "pinned") return element("td", {}, pin);
      if (name === "status") return element("td", {}, element("span", { class: `f-badge f-${row.tone}` }, row.status));
      if (name === "sql") return element("td", {}, element("code", {}, row.sql), ...(row.note ? [element("div", { class: "fr-said" }, "✎ " + row.note)] : []));
      if (name === "question") return element("td", {}, row.question);
      return element("td", { class: "f-number" }, String(row[name]));
    });
    const pick = () => send("pick", { id: row.id, group: row.group, position: row.position });
    return element("tr", {
      tabindex: "0", class: chosen ? "f-chosen" : "", "aria-current": chosen ? "true" : null, "data-id": row.id, onclick: pick,
      onkeydown: (event) => {
        if (event.target !== event.currentTarget) return;
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(); }
        const next = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
        if (next && event.currentTarget[next]) { event.preventDefault(); event.currentTarget[next].focus(); }
      },
    }, ...cells);
  }

  function draw() {
    const page = model.get("page");
    const focused = holder.contains(document.activeElement) ? document.activeElement.closest("[data-id]")?.dataset.id : null;
    options(status, "any status", page.statuses, page.status);
    options(database, "any database", page.databases, page.db_id);
    options(part, "any part", page.parts, page.part);
    said.textContent = page.said;
    const head = element("thead", {}, element("tr", {}, ...COLUMNS.map((column) => heading(column, page))));
    holder.replaceChildren(element("table", {}, head, element("tbody", {}, ...page.rows.map((row) => line(row, page)))));
    earlier.disabled = page.start === 0;
    later.disabled = page.start + page.rows.length >= page.found;
    if (document.activeElement !== note) note.value = page.note;
    note.disabled = page.chosen == null;
    if (focused) holder.querySelector(`[data-id="${focused}"]`)?.focus();
  }
  model.on("change:page", draw);
  draw();
  return () => model.off("change:page", draw);
}

export default { render };
