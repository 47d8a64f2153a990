// Says that a browser runs this module, and asks to be made anew where it cannot hear the kernel (widgets/live.py): anywidget lets go of a
// model for good whose module took longer than two seconds to start, as in a browser with much else to do.
// Keys that are pressed in here are not the notebook's shortcuts: Notebook 7 would take arrows and Enter before a widget hears of them. It asks
// the element that has the focus first, so that one has to carry the mark.
const keysStay = (place) => place.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
const [SECONDS_TO_ANSWER, MOST_ASKED] = [8, 5];

function stands(model, el) {
  el.classList.add("finer-live");
  keysStay(el);
  let [waiting, asked] = [true, 0];
  model.on("change:heard", () => { waiting = false; });
  const ask = () => {
    if (!waiting || ++asked > MOST_ASKED) return;
    model.set("ping", { serial: Date.now() + Math.random(), heard: model.get("heard") });
    model.save_changes();
    setTimeout(ask, 1000 * SECONDS_TO_ANSWER * 2 ** (asked - 1));
  };
  ask();
}

