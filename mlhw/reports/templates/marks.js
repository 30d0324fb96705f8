// Small pieces of SVG: signs that tell lines apart without their colour, and the swatch of a name.

const SHAPES = [
  (r) => `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`,
  (r) => `M${-r * 0.9} ${-r * 0.9}H${r * 0.9}V${r * 0.9}H${-r * 0.9}Z`,
  (r) => `M0 ${-r * 1.15}L${r * 1.1} ${r * 0.9}H${-r * 1.1}Z`,
  (r) => `M0 ${-r * 1.25}L${r * 1.25} 0L0 ${r * 1.25}L${-r * 1.25} 0Z`,
  (r) => `M0 ${r * 1.15}L${r * 1.1} ${-r * 0.9}H${-r * 1.1}Z`,
  (r) => `M${-r * 0.4} ${-r * 1.2}h${r * 0.8}v${r * 0.8}h${r * 0.8}v${r * 0.8}h${-r * 0.8}v${r * 0.8}h${-r * 0.8}v${-r * 0.8}h${-r * 0.8}v${-r * 0.8}h${r * 0.8}Z`,
  (r) => `M${-r * 1.15} 0L${r * 0.9} ${r * 1.1}V${-r * 1.1}Z`,
];
const shape = (number, r) => SHAPES[number % SHAPES.length](r);

function make(name, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (parent) parent.append(node);
  return node;
}

function swatch(colour, dash, mark) {
  const svg = make("svg", { width: 26, height: 12, viewBox: "0 0 26 12", "aria-hidden": "true" });
  const line = make("path", { d: "M1 6H25", fill: "none", "stroke-width": 2, "stroke-dasharray": dash }, svg);
  line.style.stroke = colour;
  if (mark !== null) make("path", { d: shape(mark, 3.4), transform: "translate(13 6)" }, svg).style.fill = colour;
  return svg;
}
