// The text difference between any two answers of a group, chosen from two lists. It runs behind elements.js and difference.js.
const FIELDS = ["position", "status", "total", "completion"];
const answers = data.answers.map((row) => Object.fromEntries(row.map((value, at) => [FIELDS[at], value])));
const name = (one) => `answer ${one.position} (paid ${number(one.total)})`;
const list = () => element("select", { onchange: draw }, ...answers.map((one) => element("option", {}, name(one))));
const [first, second] = [list(), list()];
const turnRound = () => { [first.selectedIndex, second.selectedIndex] = [second.selectedIndex, first.selectedIndex]; draw(); };
const swap = element("button", { type: "button", onclick: turnRound }, "⇄ swap");
const said = element("p", { role: "status" });
const shown = element("pre", { class: "d-text" });

function draw() {
  const [one, other] = [answers[first.selectedIndex], answers[second.selectedIndex]];
  const same = one.completion === other.completion ? " The two texts are the same." : "";
  said.replaceChildren(badge(text(one.status)), ` ${name(one)} → ${name(other)} `, badge(text(other.status)), same);
  shown.replaceChildren(...difference(text(one.completion), text(other.completion)));
}

const [struck, underlined] = [["struck out", first], ["underlined", second]].map(([how, menu]) => labelled(`Only in this answer: ${how}`, menu, "x-wide"));
place.append(element("div", { class: "x-bar" }, struck, swap, underlined), said, shown);
[first.selectedIndex, second.selectedIndex] = data.chosen;
draw();
