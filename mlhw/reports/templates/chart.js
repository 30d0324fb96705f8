// One chart: axes, curves, and what the cursor reads.

const MOST_READ = 14; // lines of the box at the cursor

class Chart {
  constructor(host, quantity, title) {
    Object.assign(this, { host, quantity, title, curves: [] });
    host.tabIndex = 0;
    host.setAttribute("role", "group");
    host.setAttribute("aria-roledescription", "chart");
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
  }

  draw(state, width) {
    this.curves = curvesOf(this.quantity, state);
    this.width = width;
    this.height = Math.round(Math.min(330, Math.max(210, width * 0.58)));
    const svg = make("svg", { viewBox: `0 0 ${this.width} ${this.height}`, role: "img" });
    svg.setAttribute("aria-label", this.describe());
    this.host.setAttribute("aria-label", `${this.title}, arrow keys read the values`);
    this.scales(state);
    this.axes(svg);
    for (const curve of this.curves) this.curve(svg, curve, state);
    this.cursor = make("g", {}, svg);
    this.host.replaceChildren(svg, this.tip);
    this.point(state.epoch);
  }

  describe() {
    const said = this.curves.slice(0, 12).map((curve) => {
      const known = curve.values.map((v, i) => [v, curve.epochs[i]]).filter(([v]) => v !== null);
      if (!known.length) return `${curve.name}: no finite value`;
      const [[first], [last, epoch]] = [known[0], known.at(-1)];
      return known.length === 1 ? `${curve.name}: ${this.text(first)}` : `${curve.name}: from ${this.text(first)} to ${this.text(last)} at epoch ${epoch}`;
    });
    return `${this.title} by epoch. ${said.join("; ") || "No line is shown"}.`;
  }

  text(value) {
    return write[this.quantity](value);
  }

  scales(state) {
    const values = [], epochs = [];
    for (const curve of this.curves) {
      for (const list of [curve.values, curve.shown]) for (const v of list) if (v !== null) values.push(v);
      for (const [, v] of curve.points ?? []) values.push(v);
      if (curve.deviations) curve.values.forEach((v, i) => values.push(v - curve.deviations[i], v + curve.deviations[i]));
      epochs.push(curve.epochs[0], curve.epochs.at(-1));
    }
    this.log = this.quantity === "loss" && state.log;
    const shown = this.log ? values.filter((v) => v > 0) : this.quantity === "accuracy" ? values.map((v) => Math.min(1, Math.max(0, v))) : values;
    this.empty = !shown.length;
    const low = this.empty ? 0 : shown.reduce((a, b) => Math.min(a, b)), high = this.empty ? 1 : shown.reduce((a, b) => Math.max(a, b));
    this.floor = this.log && !this.empty ? low : null;
    const most = this.height > 260 ? 7 : 5;
    const y = this.log && !this.empty ? logarithmic(low, high, most) : linear(low, high, most);
    const names = y.ticks.map(axisLabel[this.quantity]);
    this.left = 12 + 7 * Math.max(1, ...names.map((name) => name.length));
    this.right = 10; this.top = 8; this.bottom = 38;
    const x = epochScale(epochs.length ? Math.min(...epochs) : 1, epochs.length ? Math.max(...epochs) : 1, Math.max(3, Math.floor(this.width / 80)));
    this.x = (epoch) => this.left + x.at(epoch) * (this.width - this.left - this.right);
    this.y = (value) => this.height - this.bottom - y.at(value) * (this.height - this.top - this.bottom);
    this.ticks = { x: x.ticks, y: y.ticks, names };
  }

  axes(svg) {
    const floor = this.height - this.bottom, end = this.width - this.right;
    this.ticks.y.forEach((value, i) => {
      const y = this.y(value);
      make("path", { class: "gr", d: `M${this.left} ${y.toFixed(1)}H${end}` }, svg);
      make("text", { x: this.left - 7, y: (y + 4).toFixed(1), "text-anchor": "end" }, svg).textContent = this.ticks.names[i];
    });
    make("path", { class: "ax", d: `M${this.left} ${floor}H${end}` }, svg);
    for (const epoch of this.ticks.x) {
      make("path", { class: "ax", d: `M${this.x(epoch).toFixed(1)} ${floor}v4` }, svg);
      make("text", { x: this.x(epoch).toFixed(1), y: floor + 17, "text-anchor": "middle" }, svg).textContent = epoch;
    }
    make("text", { x: (this.left + end) / 2, y: this.height - 4, "text-anchor": "middle" }, svg).textContent = "epoch";
    if (this.empty) make("text", { x: (this.left + end) / 2, y: floor / 2, "text-anchor": "middle" }, svg).textContent = this.curves.length ? "no finite value" : "no line is shown";
    const reported = new Set(this.curves.map((curve) => curve.reported));
    const [only] = reported;
    if (!several && reported.size === 1 && only) {
      make("path", { class: "rep", d: `M${this.x(only).toFixed(1)} ${this.top}V${floor}` }, svg);
    }
  }

  path(epochs, values) {
    let pen = "M", d = "";
    values.forEach((value, i) => {
      if (value === null || (this.log && value <= 0)) { pen = "M"; return; }
      d += `${pen}${this.x(epochs[i]).toFixed(1)} ${this.y(value).toFixed(1)}`;
      pen = "L";
    });
    return d;
  }

  curve(svg, curve, state) {
    const group = make("g", {}, svg);
    group.style.setProperty("--c", curve.colour);
    const points = curve.points ?? (curve.epochs.length === 1 && curve.values[0] !== null ? [[curve.epochs[0], curve.values[0]]] : null);
    if (points || curve.epochs.length < 2) {
      for (const [epoch, value] of points ?? []) if (!this.log || value > 0) this.sign(group, "mark", curve, epoch, value, 5);
      return;
    }
    if (curve.deviations && curve.counts.some((n) => n > 1)) this.band(group, curve);
    if (state.smooth) make("path", { class: "ln raw", d: this.path(curve.epochs, curve.values), "stroke-width": 1 }, group);
    const width = curve.member ? 1.1 : curve.split === "train" ? 1.6 : 2;
    make("path", { class: curve.member ? "ln member" : "ln", d: this.path(curve.epochs, curve.shown), "stroke-width": width, "stroke-dasharray": curve.dash }, group);
    if (several && !curve.member) this.signs(group, curve);
    const at = curve.epochs.indexOf(curve.reported);
    if (at >= 0 && curve.shown[at] !== null && !curve.member) make("circle", { class: "ring", r: 4, cx: this.x(curve.reported).toFixed(1), cy: this.y(curve.shown[at]).toFixed(1) }, group);
  }

  band(group, curve) {
    const upper = curve.values.map((v, i) => v + curve.deviations[i]);
    const lower = curve.values.map((v, i) => (this.log ? Math.max(v - curve.deviations[i], this.floor) : v - curve.deviations[i]));
    const clip = (v) => (this.quantity === "accuracy" ? Math.min(1, Math.max(0, v)) : v);
    const points = [...curve.epochs.map((e, i) => [e, clip(upper[i])]), ...curve.epochs.map((e, i) => [e, clip(lower[i])]).reverse()];
    make("path", { class: "band", d: `M${points.map(([e, v]) => `${this.x(e).toFixed(1)} ${this.y(v).toFixed(1)}`).join("L")}Z` }, group);
  }

  signs(group, curve) {
    const every = Math.max(1, Math.round(curve.epochs.length / 6)), start = (curve.line * 2) % every;
    for (let i = start; i < curve.epochs.length; i += every) {
      if (curve.shown[i] !== null && !(this.log && curve.shown[i] <= 0)) this.sign(group, "mark", curve, curve.epochs[i], curve.shown[i], 3.6);
    }
  }

  sign(group, name, curve, epoch, value, size) {
    make("path", { class: name, d: shape(several ? curve.line : SPLITS.indexOf(curve.split) + 1, size), transform: `translate(${this.x(epoch).toFixed(1)} ${this.y(value).toFixed(1)})` }, group);
  }

  read(epoch) {
    const found = [];
    for (const curve of this.curves) {
      const i = curve.epochs.indexOf(epoch);
      if (i >= 0 && curve.values[i] !== null) found.push({ curve, value: curve.values[i], shown: curve.shown[i], deviation: curve.deviations && curve.counts[i] > 1 ? curve.deviations[i] : null });
    }
    return found;
  }

  words({ value, deviation }) {
    if (deviation === null) return this.text(value);
    return this.quantity === "accuracy" ? `${(100 * value).toFixed(2)} ± ${(100 * deviation).toFixed(2)} %` : `${this.text(value)} ± ${this.text(deviation)}`;
  }

  point(epoch) {
    this.cursor.replaceChildren();
    const found = epoch === null ? [] : this.read(epoch);
    this.tip.hidden = !found.length;
    if (epoch === null) return;
    const x = this.x(epoch);
    make("path", { class: "at", d: `M${x.toFixed(1)} ${this.top}V${this.height - this.bottom}` }, this.cursor);
    for (const each of found) {
      if (this.log && each.shown <= 0) continue;
      const dot = make("circle", { class: "dot", r: 4, cx: x.toFixed(1), cy: this.y(each.shown).toFixed(1) }, this.cursor);
      dot.style.setProperty("--c", each.curve.colour);
    }
    const head = document.createElement("strong");
    head.textContent = `epoch ${epoch}${found.some((each) => each.curve.reported === epoch) && !several ? ", reported" : ""}`;
    found.sort((a, b) => (this.quantity === "loss" ? a.value - b.value : b.value - a.value));
    const rows = found.slice(0, MOST_READ).map((each) => {
      const row = document.createElement("div"), name = document.createElement("span"), value = document.createElement("em");
      name.textContent = each.curve.name;
      value.textContent = this.words(each);
      row.append(swatch(each.curve.colour, each.curve.dash, several ? each.curve.line : null), name, value);
      return row;
    });
    if (found.length > MOST_READ) rows.push(Object.assign(document.createElement("div"), { textContent: `and ${found.length - MOST_READ} more` }));
    this.tip.replaceChildren(head, ...rows);
    const room = this.host.clientWidth, here = (x * room) / this.width, size = this.tip.offsetWidth;
    const left = here > room / 2 ? here - size - 12 : here + 12;
    this.tip.style.left = `${Math.max(0, Math.min(left, room - size))}px`;
  }

  spoken(epoch) {
    return `${this.title}: ${this.read(epoch).slice(0, 8).map((each) => `${each.curve.name} ${this.words(each)}`).join(", ") || "nothing"}`;
  }
}
