// One of several fragments at a time: a list and two buttons choose. Where no script runs, all of them stand in the page.
// It runs behind elements.js. Lists over the same answers go together: what is chosen in one, the others show.
const blocks = [...home.children].filter((one) => one.classList.contains("x-one"));
const options = data.texts.map((words) => element("option", {}, words));
const menu = element("select", { "aria-label": data.label, onchange: () => choose(menu.selectedIndex) }, ...options);
const button = (name, sign, by) => element("button", { type: "button", "aria-label": `${name} ${data.label}`, onclick: () => choose(at + by) }, sign);
const [previous, next] = [button("Previous", "◀", -1), button("Next", "▶", 1)];
let at = 0;

function show(to) {
  at = to;
  blocks.forEach((one, here) => { one.hidden = here !== at; });
  menu.selectedIndex = at;
  previous.disabled = at === 0;
  next.disabled = at === blocks.length - 1;
}

function choose(to) {
  show(to);
  if (data.over) document.dispatchEvent(new CustomEvent("finer-chosen", { detail: { over: data.over, at } }));
}

document.addEventListener("finer-chosen", ({ detail }) => { if (detail.over === data.over && detail.at !== at) show(detail.at); });
place.append(element("div", { class: "x-bar" }, previous, labelled(data.label, menu, "x-wide"), next));
show(data.chosen);
