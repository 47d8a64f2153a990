// What the scripts of a page share. Each runs in a function of its own, behind this text, over the JSON that stands beside it.
// Every text goes in as a text node; nothing of the data is ever read as HTML.
const home = document.currentScript.parentElement;
const place = home.querySelector(".x-place");
const data = JSON.parse(home.querySelector(".x-data").textContent);
const text = (at) => (at < 0 ? "" : data.texts[at]);

const labelled = (words, control, look) => element("label", { class: look }, words, control);
const number = (value, digits = 2) => (value === null ? "—" : value.toFixed(digits).replace("-", "−"));
const signed = (value) => (value === null ? "—" : (value > 0 ? "+" : "") + number(value));
const advantage = (value) => (value > 0 ? "▲ " : value < 0 ? "▼ " : "") + signed(value);

function grouped(list, key) {
  const found = new Map();
  for (const one of list) found.set(key(one), [...(found.get(key(one)) || []), one]);
  return [...found.values()];
}

function badge(status) {
  const [symbol, words, tone] = data.statuses[status] || ["?", status, "unknown"];
  return element("span", { class: `f-badge f-${tone}` }, `${symbol} ${words}`);
}
