// Says that a browser runs this module: the static form that stands beside the front end steps aside (widgets/live.py).
function stands(model, el) {
  el.classList.add("finer-live");
  if (model.get("alive")) return;
  model.set("alive", true);
  model.save_changes();
}

