// Makes what the views of a workbench draw something to choose: a click, or Enter, on what carries data-pick is sent to Python.
// Lines of tables and lists are reached by Tab, and by the arrow keys from one to the next; columns of charts by the pointer alone, since
// the step slider does the same for the keyboard.

const LINES = "tr[data-pick],li[data-pick]";

function render({ model, el }) {
  stands(model, el);
  let [bench, focused, wait] = [null, null, 0];
  const send = (place, event) => {
    model.set("pick", { of: place.dataset.pick, further: event.ctrlKey || event.metaKey, serial: Date.now() + Math.random() });
    model.save_changes();
  };
  const place = (event) => (bench?.contains(event.target) ? event.target.closest("[data-pick]") : null);
  const clicked = (event) => {
    const found = place(event);
    if (found && !event.target.closest("a,button,input,summary") && getSelection().isCollapsed) send(found, event);
  };
  const pressed = (event) => {
    const found = place(event);
    if (!found || found !== event.target) return;
    const next = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      focused = found.dataset.pick;
      send(found, event);
    } else if (next && found[next]?.matches(LINES)) found[next].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // A view that is drawn again is made of new elements: they are put in the order of Tab, and the line that had the focus gets it back.
  const redrawn = () => {
    for (const line of bench.querySelectorAll(LINES)) line.tabIndex = 0;
    if (focused === null || document.activeElement !== document.body) return;
    const again = [...bench.querySelectorAll(LINES)].find((line) => line.dataset.pick === focused && line.offsetParent);
    again?.focus();
  };
  const left = (event) => { if (place(event)) focused = event.relatedTarget ? null : focused; };
  const observer = new MutationObserver(redrawn);
  const begin = () => {
    bench = el.closest(".finer-bench");
    if (!bench) {
      wait = setTimeout(begin, 100); // not in the page yet
      return;
    }
    bench.classList.add("finer-picks");
    keysStay(bench);
    observer.observe(bench, { childList: true, subtree: true });
    redrawn();
  };
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed, true);
  document.addEventListener("focusout", left);
  begin();
  return () => {
    clearTimeout(wait);
    observer.disconnect();
    bench?.classList.remove("finer-picks");
    document.removeEventListener("click", clicked);
    document.removeEventListener("keydown", pressed, true);
    document.removeEventListener("focusout", left);
  };
}

export default { render };
