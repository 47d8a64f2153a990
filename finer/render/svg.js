// An SVG element with attributes and children; a title is shown by the browser when its shape is pointed at.
function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, typeof value === "number" ? value.toFixed(2) : value);
  made.append(...children.filter((child) => child !== null));
  return made;
}
const titled = (words) => (words ? drawn("title", {}, words) : null);

