// The page: controls, cursor, theme, matrix, print.

const $ = (id) => document.getElementById(id);
const state = { hiddenSplits: new Set(), hiddenLines: new Set(), smooth: 0, log: false, each: false, epoch: null };
const charts = [new Chart($("loss"), "loss", "Loss"), new Chart($("accuracy"), "accuracy", "Accuracy")];
const MOST_LINES = 3; // with more, the training curves begin hidden

function draw(width) {
  for (const chart of charts) chart.draw(state, width || Math.max(240, chart.host.clientWidth));
}

function chip(host, text, picture, hidden, key, keys) {
  const button = document.createElement("button"), name = document.createElement("span");
  button.type = "button";
  button.dataset.key = key;
  name.textContent = text;
  button.title = text;
  button.append(picture, name);
  button.addEventListener("click", (event) => {
    if (event.shiftKey) {
      const alone = keys.every((other) => other === key ? !hidden.has(other) : hidden.has(other));
      for (const other of keys) if (alone || other === key) hidden.delete(other); else hidden.add(other);
    } else if (!hidden.delete(key)) hidden.add(key);
    press();
    draw();
  });
  host.append(button);
  return () => button.setAttribute("aria-pressed", String(!hidden.has(key)));
}

const presses = [];
const press = () => presses.forEach((set) => set());

function setUpControls() {
  for (const split of splitsThere) presses.push(chip($("splits"), split, swatch(several ? "var(--muted)" : `var(--split-${split})`, DASHES[split], null), state.hiddenSplits, split, splitsThere));
  const numbers = data.map((_, number) => number);
  if (several) data.forEach((line, number) => presses.push(chip($("lines"), line.runs.length > 1 ? `${line.label} (n = ${line.runs.length})` : line.label, swatch(`var(--run-${number % COLOURS})`, "", number), state.hiddenLines, number, numbers)));
  $("lines").hidden = !several;
  if (data.length > MOST_LINES && splitsThere.length > 1) state.hiddenSplits.add("train");
  const losses = data.flatMap((line) => line.runs.flatMap((run) => SPLITS.flatMap((split) => run.splits[split]?.loss ?? []))).filter((v) => v !== null);
  const low = losses.reduce((a, b) => Math.min(a, b), Infinity), high = losses.reduce((a, b) => Math.max(a, b), -Infinity);
  state.log = $("log").checked = low > 0 && high / low > LOG_RATIO;
  $("each-label").hidden = !repeated;
  $("each").checked = false;
  $("smooth").value = 0;
  $("log").addEventListener("change", () => { state.log = $("log").checked; draw(); });
  $("each").addEventListener("change", () => { state.each = $("each").checked; draw(); });
  $("smooth").addEventListener("input", () => {
    state.smooth = Number($("smooth").value);
    $("smooth-value").textContent = state.smooth ? state.smooth.toFixed(2) : "off";
    draw();
  });
  press();
}

const allEpochs = [...new Set(data.flatMap((line) => line.runs.flatMap((run) => SPLITS.flatMap((split) => run.splits[split]?.epochs ?? []))))].sort((a, b) => a - b);

function moveTo(epoch, spoken) {
  state.epoch = epoch;
  for (const chart of charts) chart.point(epoch);
  if (spoken) $("spoken").textContent = epoch === null ? "" : `Epoch ${epoch}. ${charts.map((chart) => chart.spoken(epoch)).join(". ")}`;
}

function nearest(chart, clientX) {
  const box = chart.host.getBoundingClientRect(), x = ((clientX - box.left) * chart.width) / box.width;
  return allEpochs.reduce((best, epoch) => (Math.abs(chart.x(epoch) - x) < Math.abs(chart.x(best) - x) ? epoch : best), allEpochs[0]);
}

function keyed(event) {
  const last = allEpochs.length - 1, here = allEpochs.indexOf(state.epoch), page = Math.max(1, Math.round(last / 10));
  const to = { ArrowRight: here + 1, ArrowLeft: here < 0 ? last : here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: last }[event.key];
  if (event.key === "Escape") moveTo(null, true);
  else if (to !== undefined) moveTo(allEpochs[Math.min(last, Math.max(0, to))], true);
  else return;
  event.preventDefault();
}

function setUpCursor() {
  for (const chart of charts) {
    for (const kind of ["pointermove", "pointerdown"]) chart.host.addEventListener(kind, (event) => moveTo(nearest(chart, event.clientX)));
    chart.host.addEventListener("pointerleave", () => moveTo(null));
    chart.host.addEventListener("blur", () => moveTo(null));
    chart.host.addEventListener("keydown", keyed);
  }
}

function setUpTheme() {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const show = () => { $("theme").textContent = isDark() ? "Light" : "Dark"; };
  $("theme").setAttribute("aria-label", "Change between light and dark");
  $("theme").addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; show(); });
  dark.addEventListener("change", show);
  $("theme").hidden = false;
  show();
}

function setUpMatrix() {
  const matrix = $("matrix");
  if (!matrix) return;
  const legend = $("cell").textContent, heads = [...matrix.querySelectorAll("thead th[scope=col]:not(.axis)")];
  let on = [];
  const leave = () => { on.forEach((node) => node.classList.remove("on")); on = []; $("cell").textContent = legend; };
  matrix.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("tbody td");
    leave();
    if (!cell) return;
    const row = cell.parentElement, truth = row.querySelector("th"), head = heads[cell.cellIndex - 1];
    const total = [...row.querySelectorAll("td")].reduce((sum, each) => sum + Number(each.textContent), 0), count = Number(cell.textContent);
    on = [cell, truth, head];
    on.forEach((node) => node.classList.add("on"));
    const what = truth.textContent === head.textContent ? `${truth.textContent}: right` : `${truth.textContent} taken for ${head.textContent}`;
    $("cell").textContent = total ? `${what}, ${count} of ${total} (${((100 * count) / total).toFixed(1)} %)` : `${truth.textContent}: no rows`;
  });
  matrix.addEventListener("pointerleave", leave);
}

function setUpCopy() {
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
}

function setUpPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    moveTo(null);
    opened = [...document.querySelectorAll("details.printed:not([open])")];
    opened.forEach((each) => { each.open = true; });
    draw(380);
  });
  addEventListener("afterprint", () => { opened.forEach((each) => { each.open = false; }); draw(); });
}

$("charts").hidden = false;
setUpControls();
draw();
setUpCursor();
setUpTheme();
setUpMatrix();
setUpCopy();
setUpPrint();
let drawn = $("loss").clientWidth;
new ResizeObserver(() => {
  if ($("loss").clientWidth !== drawn) { drawn = $("loss").clientWidth; draw(); }
}).observe($("loss"));
