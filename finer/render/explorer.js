// The report's search and its walk through steps and groups. It runs behind elements.js and difference.js.
const PAGE = 50;
const KINDS = { "=": "matched", "≈": "changed", "−": "missing", "+": "extra" };
const paid = (part) => (part[1] === null ? 0 : part[1] * part[2]);
const outcomeOf = (answer) => ({ correct: "right", gold_failed: "unjudged" })[answer.status] || "wrong";
const right = (answer) => answer.status === "correct";

// --- the answers as objects, once

const groups = data.groups.map((group, at) => {
  const made = { ...group, at, question: text(group.question), gold: text(group.gold), db: text(group.db) };
  made.answers = group.answers.map(([position, status, gain, tokens, thought, sql, rest, parts, operations, near]) => ({
    group: made, position, status: text(status), gain, tokens, thought: text(thought), sql: text(sql), rest: text(rest),
    parts, operations, near, total: parts.reduce((sum, part) => sum + paid(part), 0),
  }));
  return made;
});
const answers = groups.flatMap((group) => group.answers);
const steps = [...new Set(groups.map((group) => group.step))];
const haystack = (answer) => (answer.hay ??= [answer.group.question, answer.group.db, answer.thought, answer.sql, answer.rest].join("\n").toLowerCase());

// --- filter

const field = {
  words: element("input", { type: "search", placeholder: "question, thought or SQL", oninput: later }),
  outcome: options([["", "all"], ["right", "right only"], ["wrong", "wrong only"], ["unjudged", "not judged"]]),
  part: options([["", "any part"], ...data.parts.map((name, at) => [at, name])]),
  level: options([["full", "paid in full"], ["some", "paid partly"], ["none", "paid nothing"], ["unscored", "not scored"]]),
};
const count = element("p", { role: "status", class: "f-soft x-count" });
const list = element("div", { class: "x-hits" });
let hits = answers;
let waiting = 0;

function options(pairs) {
  return element("select", { onchange: search }, ...pairs.map(([value, words]) => element("option", { value }, words)));
}

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(search, 80);
}

function levelOf(part) {
  if (!part || part[1] === null) return "unscored";
  return part[1] >= 0.99999 ? "full" : part[1] > 0 ? "some" : "none";
}

function search() {
  const words = field.words.value.trim().toLowerCase();
  const outcome = field.outcome.value;
  const part = field.part.value === "" ? null : Number(field.part.value);
  field.level.disabled = part === null;
  hits = answers.filter((answer) =>
    (!outcome || outcomeOf(answer) === outcome) &&
    (part === null || levelOf(answer.parts.find((one) => one[0] === part)) === field.level.value) &&
    (!words || haystack(answer).includes(words)));
  count.textContent = `${hits.length.toLocaleString("en")} of ${answers.length.toLocaleString("en")} answers`;
  const rows = element("tbody");
  list.replaceChildren(element("table", {}, rows));
  list.scrollTop = 0;
  more(rows, 0);
}

function more(rows, from) {
  rows.append(...hits.slice(from, from + PAGE).map(hitRow));
  if (hits.length <= from + PAGE) return;
  const next = element("td", { colspan: 5 }, element("button", { type: "button", onclick: () => { row.remove(); more(rows, from + PAGE); } }, `${PAGE} more`));
  const row = element("tr", {}, next);
  rows.append(row);
}

function hitRow(answer) {
  const open = () => show(answer.group, answer);
  const cells = [`step ${answer.group.step}`, badge(answer.status), number(answer.total), answer.group.question, answer.sql || answer.rest];
  return element("tr", { tabindex: 0, onclick: open, onkeydown: (event) => event.key === "Enter" && open() }, ...cells.map((cell) => element("td", {}, cell)));
}

// --- steps and groups

const slider = element("input", { type: "range", min: 0, max: Math.max(0, steps.length - 1), value: 0, class: "x-step", oninput: scrub });
const where = element("span", { class: "x-where" });
const previous = element("button", { type: "button", class: "x-previous", onclick: () => walk(-1) }, "◀ group");
const next = element("button", { type: "button", class: "x-next", onclick: () => walk(1) }, "group ▶");
const shown = element("div", { class: "x-group" });
let [current, against] = [null, null]; // the group, and the position of the answer that the shown one is compared with

function scrub() {
  const step = steps[Number(slider.value)];
  show(groups.find((group) => group.step === step));
}

function walk(by) {
  const group = groups[current.at + by];
  if (group) show(group);
}

function show(group, answer) {
  if (group !== current) against = null;
  current = group;
  slider.value = steps.indexOf(group.step);
  slider.setAttribute("aria-valuetext", `step ${group.step}`);
  where.textContent = `step ${group.step}, group ${group.id} (${group.at + 1} of ${groups.length})`;
  previous.disabled = group.at === 0;
  next.disabled = group.at === groups.length - 1;
  const ordered = [...group.answers].sort((one, other) => other.total - one.total || one.position - other.position);
  const chosen = answer || ordered.find((one) => !right(one)) || ordered[0];
  const correct = ordered.filter(right).length;
  shown.replaceChildren(
    element("p", { class: "f-question f-text" }, group.question),
    element("p", { class: "f-soft" }, `${group.db} · question ${group.index} · ${correct} of ${ordered.length} answers right`),
    element("table", { class: "x-answers" }, element("tbody", {}, ...ordered.map((one) => answerRow(group, one, one === chosen)))),
    ...(chosen ? detail(group, chosen) : []));
}

function answerRow(group, answer, chosen) {
  const open = () => { show(group, answer); shown.querySelector("tr[aria-current]").focus(); };
  const sql = element("code", {}, (answer.sql || answer.rest || "(empty)").replace(/\s+/g, " ").slice(0, 160));
  const figures = [number(answer.total), advantage(answer.gain)].map((one) => element("td", { class: "f-number" }, one));
  const cells = [element("td", { class: "f-number" }, String(answer.position)), element("td", {}, stack(answer)), ...figures,
    element("td", {}, badge(answer.status)), element("td", {}, sql)];
  return element("tr", { tabindex: 0, class: chosen ? "f-chosen" : null, "aria-current": chosen ? "true" : null, onclick: open,
    onkeydown: (event) => event.key === "Enter" && open() }, ...cells);
}

function stack(answer) {
  const scale = Math.max(1e-9, ...answer.group.answers.map((one) => one.parts.reduce((sum, part) => sum + Math.max(0, paid(part)), 0)));
  const bars = answer.parts.filter((part) => paid(part) > 0).map((part) => {
    const share = (100 * paid(part)) / scale;
    const [letter, look] = data.looks[data.parts[part[0]]];
    return element("i", { class: look, style: `width:${share.toFixed(2)}%` }, share >= 9 ? letter : "");
  });
  const said = answer.parts.map((part) => `${data.parts[part[0]]} ${part[1] === null ? "not scored" : number(paid(part))}`).join(", ");
  return element("div", { class: "f-stack", role: "img", "aria-label": said, title: said }, ...bars);
}

// --- one answer

function detail(group, answer) {
  const rows = answer.parts.map((part) => {
    const [letter, look] = data.looks[data.parts[part[0]]];
    const sum = part[1] === null ? "not scored" : `${part[2]} × ${part[1]} = ${number(paid(part), 3)}`;
    return element("tr", {}, element("th", { scope: "row" }, element("i", { class: `f-key ${look}`, "aria-hidden": "true" }, letter), ` ${data.parts[part[0]]}`),
      element("td", {}, sum), element("td", { class: "f-text" }, text(part[3])));
  });
  const body = answer.rest ? [element("h4", {}, "No SQL was read from this text"), element("pre", {}, answer.rest)] : texts(group, answer);
  return [element("h3", {}, `Answer ${answer.position}: total ${number(answer.total)}, advantage ${signed(answer.gain)}, ${answer.tokens} tokens`),
    element("table", { class: "x-parts" }, element("tbody", {}, ...rows)),
    element("h4", {}, "Thought"), element("pre", { class: "x-thought" }, answer.thought || "(none)"), ...neighbours(answer), ...body, ...compared(group, answer)];
}

function neighbours(answer) {
  if (!answer.near.length) return [];
  const rows = answer.near.map(([place, similarity]) => {
    const [thought, db, source, id] = data.traces[place];
    return element("li", { class: "m-row" }, element("b", {}, number(similarity, 3)),
      element("div", {}, element("div", { class: "f-text" }, text(thought)), element("div", { class: "f-soft" }, `${text(db)} · trace ${id} · ${text(source)}`)));
  });
  const summary = element("summary", {}, `The ${rows.length} nearest thoughts of the memory`);
  return [element("details", { class: "x-memory" }, summary, element("ol", { class: "m-list" }, ...rows))];
}

// The difference to another answer of the group; what is chosen stays while a reader goes through the answers.
function compared(group, answer) {
  const others = group.answers.filter((one) => one !== answer);
  if (!others.length) return [];
  const options = others.map((one) => element("option", { value: one.position }, `answer ${one.position} (paid ${number(one.total)})`));
  const change = () => { against = menu.value === "" ? null : Number(menu.value); draw(); };
  const menu = element("select", { class: "x-against", onchange: change }, element("option", { value: "" }, "no other answer"), ...options);
  const holder = element("div", {});
  const whole = (one) => one.rest || `${one.thought}\n\n${one.sql}`;
  function draw() {
    const other = others.find((one) => one.position === against);
    menu.value = other ? String(against) : "";
    holder.replaceChildren(...(other ? [
      element("p", { class: "f-soft" }, `answer ${answer.position} → answer ${other.position}: only in the first is struck out, only in the second underlined`),
      element("pre", { class: "d-text" }, ...difference(whole(answer), whole(other)))] : []));
  }
  draw();
  return [element("div", { class: "x-bar" }, labelled("Difference to", menu)), holder];
}

function texts(group, answer) {
  const pair = element("div", { class: "a-pair" },
    element("div", {}, element("h4", {}, "Gold"), query(group.gold, answer.operations, 2)),
    element("div", {}, element("h4", {}, "Answer"), query(answer.sql, answer.operations, 3)));
  const chips = element("p", {}, ...answer.operations.map(([kind, words], at) =>
    element("span", { class: `a-chip k-${KINDS[kind]}`, tabindex: 0, "data-operation": at }, `${kind} ${text(words)}`)));
  const both = element("div", {}, pair, chips);
  for (const kind of ["mouseover", "focusin"]) both.addEventListener(kind, (event) => light(both, event.target));
  both.addEventListener("mouseleave", () => light(both, null));
  return [both];
}

function query(sql, operations, side) {
  const spans = operations.map((one, at) => ({ at, kind: one[0], span: one[side] })).filter((one) => one.span);
  const edges = [...new Set([0, sql.length, ...spans.flatMap((one) => one.span)])].sort((one, other) => one - other);
  const code = element("code", {});
  for (let at = 0; at + 1 < edges.length; at++) {
    const over = spans.filter((one) => one.span[0] <= edges[at] && edges[at + 1] <= one.span[1]);
    const piece = sql.slice(edges[at], edges[at + 1]);
    if (!over.length || !piece.trim()) { code.append(piece); continue; }
    const inner = over.reduce((best, one) => (one.span[1] - one.span[0] < best.span[1] - best.span[0] ? one : best));
    code.append(element("span", { class: `a-span a-${KINDS[inner.kind]}`, "data-operation": inner.at }, piece));
  }
  return element("pre", {}, code);
}

function light(both, target) {
  const on = target && target.closest("[data-operation]");
  for (const one of both.querySelectorAll("[data-operation]"))
    one.classList.toggle("x-lit", Boolean(on) && one.dataset.operation === on.dataset.operation);
}

if (!groups.length) return place.append(element("p", { class: "f-soft" }, "No answer has been recorded yet."));
place.append(
  element("div", { class: "x-bar" }, labelled("Search", field.words, "x-wide"), labelled("Outcome", field.outcome), labelled("Part", field.part), labelled("was", field.level)),
  count, list,
  element("div", { class: "x-bar" }, labelled("Step", slider, "x-wide"), previous, next, where), shown);
search();
show(groups[groups.length - 1]);
