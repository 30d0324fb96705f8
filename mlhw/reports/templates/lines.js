// What is drawn: a curve for each line and split, of one run or the mean of several with its deviation.

const SPLITS = ["train", "val", "test"];
const COLOURS = 10;
const DASHES = { train: "5 3", val: "", test: "7 3 2 3" };

const data = JSON.parse(document.getElementById("data").textContent);
const several = data.length > 1;
const repeated = data.some((line) => line.runs.length > 1);
const splitsThere = SPLITS.filter((split) => data.some((line) => line.runs.some((run) => split in run.splits)));

const colourOf = (line, split) => (several ? `var(--run-${line % COLOURS})` : `var(--split-${split})`);

function smoothed(values, weight) {
  // An exponential mean that forgets where it began (Kingma & Ba 2015, section 3); gaps stay gaps.
  if (!weight) return values;
  let mean = 0, trust = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    trust = weight * trust + (1 - weight);
    return mean / trust;
  });
}

function runCurve(run, split, quantity) {
  const rows = run.splits[split];
  return rows && { epochs: rows.epochs, values: rows[quantity] };
}

function meanCurve(runs) {
  const by = new Map();
  for (const run of runs) run.epochs.forEach((epoch, i) => {
    if (run.values[i] === null) return;
    if (!by.has(epoch)) by.set(epoch, []);
    by.get(epoch).push(run.values[i]);
  });
  const epochs = [...by.keys()].sort((a, b) => a - b);
  const values = [], deviations = [], counts = [];
  for (const epoch of epochs) {
    const found = by.get(epoch), mean = found.reduce((a, b) => a + b, 0) / found.length;
    values.push(mean);
    counts.push(found.length);
    deviations.push(found.length > 1 ? Math.sqrt(found.reduce((a, b) => a + (b - mean) ** 2, 0) / (found.length - 1)) : 0);
  }
  return { epochs, values, deviations, counts };
}

function curvesOf(quantity, state) {
  const found = [];
  for (const split of splitsThere) data.forEach((line, number) => {
    if (state.hiddenSplits.has(split) || state.hiddenLines.has(number)) return;
    const runs = line.runs.map((run) => ({ ...runCurve(run, split, quantity), run })).filter((curve) => curve.epochs);
    if (!runs.length) return;
    const name = several ? (splitsThere.length > 1 ? `${line.label}, ${split}` : line.label) : split;
    const common = { line: number, split, name, colour: colourOf(number, split), dash: several || split !== "val" ? DASHES[split] : "" };
    if (runs.length > 1 && runs.every((one) => one.epochs.length === 1)) {
      // A single score of each run, at the epoch that it reports: no curve leads from one run to another.
      const mean = meanCurve(runs), points = runs.map((one) => [one.epochs[0], one.values[0]]).filter(([, value]) => value !== null);
      found.push({ ...common, ...mean, points, reported: null, shown: mean.values });
    } else if (runs.length === 1 || state.each) {
      for (const one of runs) found.push({ ...common, ...one, name: runs.length > 1 ? `${name}, ${one.run.name.slice(-4)}` : name, reported: one.run.reported, member: runs.length > 1, shown: smoothed(one.values, state.smooth) });
    } else {
      const mean = meanCurve(runs);
      found.push({ ...common, ...mean, reported: null, shown: smoothed(mean.values, state.smooth) });
    }
  });
  return found;
}
