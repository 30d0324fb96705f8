// Scales: where a value lies between 0 and 1, and which values are named on the axis.

const LOG_RATIO = 50; // as in the figures: a loss that spans more than this factor begins on a logarithmic axis

function linear(low, high, most) {
  const room = Math.max(0.05 * (high - low), 1e-3 * Math.max(Math.abs(low), Math.abs(high)), 1e-9);
  const from = low - room, to = high + room;
  const step = stepFor((to - from) / most);
  const ticks = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9 * step; k++) ticks.push(Number((k * step).toPrecision(12)));
  return { at: (v) => (v - from) / (to - from), ticks };
}

function stepFor(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return size * [1, 2, 2.5, 5, 10].find((factor) => factor * size >= rough * (1 - 1e-9));
}

function logarithmic(low, high, most) {
  const a = Math.log10(low), b = Math.log10(high), room = Math.max(0.05 * (b - a), 0.04);
  const from = a - room, to = b + room;
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let e = Math.floor(from); e <= Math.ceil(to); e++) for (const f of factors) ticks.push(Number(`${f}e${e}`));
    const shown = ticks.filter((v) => Math.log10(v) >= from && Math.log10(v) <= to);
    const every = factors.length === 1 ? Math.ceil(shown.length / most) : 1;
    if (shown.length <= most || factors.length === 1) return { at: (v) => (Math.log10(v) - from) / (to - from), ticks: shown.filter((_, i) => i % every === 0) };
  }
}

function epochScale(first, last, most) {
  const room = first === last ? 0.5 : 0.02 * (last - first);
  const step = Math.max(1, Math.round(stepFor(Math.max(1, last - first) / most)));
  const ticks = first === last ? [first] : [];
  if (first !== last) for (let k = Math.ceil(first / step); k * step <= last; k++) ticks.push(k * step);
  return { at: (v) => (v - first + room) / (last - first + 2 * room), ticks };
}

const tidy = (v) => (v !== 0 && (Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3) ? v.toExponential(0).replace("e+", "e") : String(Number(v.toPrecision(6))));
const write = {
  loss: (v) => (v === 0 || (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e3) ? v.toFixed(4) : v.toExponential(2)),
  accuracy: (v) => `${(100 * v).toFixed(2)} %`,
};
const axisLabel = { loss: tidy, accuracy: (v) => `${Number((100 * v).toPrecision(6))} %` };
