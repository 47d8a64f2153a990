// Guess, then reveal, on a page: move the answers into an order, reveal what they were paid, keep a tally over the groups that it carries.
// It runs behind elements.js.
const TIE = 1e-9;
const CARD = ["letter", "words", "times", "total", "status", "parts", "sql"];
const groups = data.groups.map((group) => ({ ...group, cards: group.cards.map((row) => Object.fromEntries(row.map((value, at) => [CARD[at], value]))) }));
const tally = new Map();
let [at, order, revealed] = [0, [], false];

const shown = element("div", { class: "x-guess" });
const said = element("p", { role: "status" });
const reveal = element("button", { type: "button", class: "x-reveal", onclick: tell }, "Reveal");
const another = element("button", { type: "button", class: "x-another", onclick: () => begin((at + 1) % groups.length) }, "Another group");

// --- how an order agrees with the pay, pair by pair; pairs that were paid the same do not count

function score(cards) {
  const gaps = cards.flatMap((one, place) => cards.slice(place + 1).map((other) => one.total - other.total));
  const tied = gaps.filter((gap) => Math.abs(gap) < TIE).length;
  const right = gaps.filter((gap) => gap >= TIE).length;
  return { right, wrong: gaps.length - tied - right, tied };
}

function tell() {
  if (!tally.has(at)) tally.set(at, score(order)); // a group counts once, with its first guess
  revealed = true;
  draw();
}

function scoreWords({ right, wrong, tied }) {
  if (!(right + wrong)) return "All were paid the same: there is no order to find.";
  const tau = (right - wrong) / (right + wrong);
  const same = tied ? `; ${tied} ${tied === 1 ? "pair was" : "pairs were"} paid the same and ${tied === 1 ? "does" : "do"} not count` : "";
  return `${right} of ${right + wrong} pairs in the right order (Kendall tau ${signed(tau)})${same}.`;
}

function tallyWords() {
  const [right, wrong] = ["right", "wrong"].map((name) => [...tally.values()].reduce((sum, one) => sum + one[name], 0));
  if (!(right + wrong)) return "So far: no pair ordered.";
  const share = ((100 * right) / (right + wrong)).toFixed(0);
  const groups = `${tally.size} group${tally.size === 1 ? "" : "s"}`;
  return `So far: ${groups}, ${right} of ${right + wrong} pairs in the right order (${share} %); by chance it would be half.`;
}

// --- the answers to put in order

function begin(to) {
  [at, order, revealed] = [to, [...groups[to].cards], false];
  draw();
}

function move(card, by) {
  const from = order.indexOf(card);
  const to = Math.min(Math.max(from + by, 0), order.length - 1);
  order.splice(from, 1);
  order.splice(to, 0, card);
  draw();
  shown.querySelector(`[data-letter="${card.letter}"] button[data-by="${by}"]`).focus();
}

function cardRow(card, place) {
  const button = (by, sign, words) =>
    element("button", { type: "button", "data-by": by, "aria-label": `Move ${card.letter} ${words}`, onclick: () => move(card, by) }, sign);
  const letter = element("span", { class: "q-letter" }, card.letter);
  const side = element("div", {}, letter, element("div", { class: "f-soft" }, `place ${place + 1}`), button(-1, "▲", "up"), button(1, "▼", "down"));
  const times = card.times > 1 ? [element("div", { class: "f-soft" }, `given ${card.times} times`)] : [];
  const body = element("div", {}, element("pre", {}, element("code", {}, text(card.words))), ...times);
  return element("div", { class: "q-card", "data-letter": card.letter }, side, body);
}

// --- the pay

function stack(card, scale) {
  const bars = card.parts.filter((part) => part[1] > 0).map(([name, paid]) => {
    const [letter, look] = data.looks[data.parts[name]];
    const share = (100 * paid) / scale;
    return element("i", { class: look, style: `width:${share.toFixed(2)}%` }, share >= 9 ? letter : "");
  });
  const words = card.parts.map(([name, paid]) => `${data.parts[name]} ${number(paid)}`).join(", ");
  return element("div", { class: "f-stack", role: "img", "aria-label": words, title: words }, ...bars);
}

function payTable() {
  const scale = Math.max(TIE, ...order.map((card) => card.parts.reduce((sum, part) => sum + Math.max(0, part[1]), 0)));
  const head = element("tr", {}, ...["yours", "answer", "by pay", "total", "parts", "status", "SQL"].map((words) => element("th", { scope: "col" }, words)));
  const rows = order.map((card, place) => {
    const by = 1 + order.filter((other) => other.total > card.total + TIE).length;
    const paid = [number(card.total, 3), stack(card, scale), badge(text(card.status))];
    const cells = [String(place + 1), element("b", {}, card.letter), String(by), ...paid, element("code", {}, text(card.sql))];
    return element("tr", { "data-letter": card.letter }, ...cells.map((cell) => element("td", {}, cell)));
  });
  return element("div", { class: "q-table" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}

function draw() {
  const group = groups[at];
  const head = [element("p", { class: "f-question f-text" }, text(group.question)),
    element("p", { class: "f-soft" }, `${text(group.db)} · question ${group.index} · step ${group.step} · group ${at + 1} of ${groups.length} of this page`),
    element("pre", {}, element("code", {}, text(group.gold)))];
  reveal.disabled = revealed;
  another.disabled = groups.length < 2;
  said.textContent = revealed ? `${scoreWords(score(order))} ${tallyWords()}` : "Put them in order, best paid first; then reveal.";
  shown.replaceChildren(...head, ...(revealed ? [payTable()] : order.map(cardRow)));
}

if (!groups.length) return place.append(element("p", { class: "f-soft" }, "No group to put in order yet."));
place.append(element("div", { class: "x-bar" }, reveal, another), said, shown);
begin(0);
