// Charts as custom elements: give <flag-chart> a model, <spark-line> its values.
import * as f from './format.js';

let library;

/** Chart.js, fetched when the first chart is to be drawn. */
function chartLibrary() {
  library ??= new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = '/console/lib/chart.umd.min.js';
    script.onload = done;
    script.onerror = () => {
      script.remove();
      library = undefined;
      failed(new Error('The chart library could not be loaded.'));
    };
    document.head.append(script);
  });
  return library;
}

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Colours that the colour-blind tell apart (see style.css); from the seventh on a dashed line tells more. */
const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];
const DASHES = [[], [7, 4], [2, 3]];

/** How a series looks, by its place; `default` is grey and dashed whatever its place. */
function look(index, isDefault) {
  return isDefault
    ? { token: '--series-default', dash: [4, 4] }
    : { token: SERIES[index % SERIES.length], dash: DASHES[Math.floor(index / SERIES.length) % DASHES.length] };
}

/** A short line in the colour and dash of a series, as the legend of a row. */
export function swatch(index, isDefault) {
  return isDefault ? 'swatch swatch-default' : `swatch swatch-${(index % SERIES.length) + 1}${index >= SERIES.length ? ' dashed' : ''}`;
}

function withAlpha(color, alpha) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** A line under the pointer, so that values of one moment are read together. */
const crosshair = {
  id: 'crosshair',
  afterDatasetsDraw(chart) {
    const active = chart.tooltip?.getActiveElements?.() ?? [];
    if (active.length === 0) return;
    const { ctx, chartArea } = chart;
    ctx.save();
    ctx.strokeStyle = style('--line-strong');
    ctx.beginPath();
    ctx.moveTo(active[0].element.x, chartArea.top);
    ctx.lineTo(active[0].element.x, chartArea.bottom);
    ctx.stroke();
    ctx.restore();
  },
};

const TICK_WIDTH = 52;
const LABELS_MAX = 12;
const LABEL_HEIGHT = 14;
const LABEL_LEAD = 14;

const stacks = (model) => model.kind === 'areas' || model.kind === 'share';

/** True if the lines of a chart carry their names, so that it needs no legend. */
export const namesItsLines = (model) => model.kind !== 'bars' && model.series.length > 1 && model.series.length <= LABELS_MAX;

/** How a chart writes its values. */
const valuesOf = (model) => (model.kind === 'share' ? f.percent : model.estimated ? f.approximately : f.count);

function shortened(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}

const fontOf = (size, weight = '') => `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`.trim();

/** How much room the names at the ends of lines take. */
function labelRoom(element, model) {
  if (!namesItsLines(model)) return 16;
  const ctx = element.querySelector('canvas').getContext('2d');
  ctx.save();
  ctx.font = fontOf(12);
  const widest = Math.max(...model.series.map((each) => ctx.measureText(each.name).width));
  ctx.restore();
  return LABEL_LEAD + 4 + Math.min(widest, 120, element.clientWidth * 0.2);
}

/** The name of each line at its end, joined to it in its colour: who cannot tell the colours needs none. */
const endLabels = (element) => ({
  id: 'endLabels',
  afterDatasetsDraw(chart) {
    const model = element.shown;
    if (!namesItsLines(model)) return;
    const { ctx, chartArea } = chart;
    let below = chartArea.bottom;
    const labels = chart.data.datasets.map((dataset, i) => {
      const points = chart.getDatasetMeta(i).data;
      const y = points[points.length - 1]?.y;
      const middle = stacks(model) ? (y + below) / 2 : y;
      if (Number.isFinite(y)) below = y;
      return { text: dataset.label, color: dataset.borderColor, from: middle, to: middle };
    }).filter((label) => Number.isFinite(label.from)).sort((a, b) => a.from - b.from);
    spread(labels, chartArea.top, chartArea.bottom);
    ctx.save();
    ctx.font = fontOf(12);
    ctx.textBaseline = 'middle';
    ctx.lineWidth = 1.5;
    for (const label of labels) {
      ctx.strokeStyle = label.color;
      ctx.beginPath();
      ctx.moveTo(chartArea.right + 2, label.from);
      ctx.lineTo(chartArea.right + LABEL_LEAD - 4, label.to);
      ctx.stroke();
      ctx.fillStyle = style('--ink');
      ctx.fillText(shortened(ctx, label.text, chart.width - chartArea.right - LABEL_LEAD - 2), chartArea.right + LABEL_LEAD, label.to);
    }
    ctx.restore();
  },
});

/** Moves labels apart, downwards and then back up from the floor. */
function spread(labels, top, bottom) {
  labels.forEach((label, i) => (label.to = Math.max(label.from, i ? labels[i - 1].to + LABEL_HEIGHT : top)));
  for (let i = labels.length - 1, floor = bottom; i >= 0; i--, floor -= LABEL_HEIGHT) {
    labels[i].to = Math.min(labels[i].to, floor);
  }
}

/** Says of an empty beginning that it is one. */
const emptyBeginning = (element) => ({
  id: 'emptyBeginning',
  afterDatasetsDraw(chart) {
    const model = element.shown;
    if (!stacks(model) || !model.before) return;
    const { ctx, chartArea, scales } = chart;
    const width = scales.x.getPixelForValue(model.first) - chartArea.left;
    if (width < 80) return;
    ctx.save();
    ctx.font = fontOf(12);
    ctx.fillStyle = style('--ink-muted');
    ctx.textAlign = 'center';
    const [x, y] = [chartArea.left + width / 2, (chartArea.top + chartArea.bottom) / 2];
    ctx.fillText('no events', x, y - 9);
    ctx.fillText(`before ${model.before}`, x, y + 9);
    ctx.restore();
  },
});

/**
 * Model: { labels, titles, series: [{ name, values, isDefault, index }], kind: 'lines' | 'areas' | 'share' | 'bars',
 * estimated, label }. `partial` says that the last step still runs; it is drawn dotted. `before` is the label of step
 * `first` if there is nothing before it. With the keys of arrows the values are read step by step.
 */
class FlagChart extends HTMLElement {
  #chart = null;
  #model = null;
  #at = null;

  get shown() {
    return this.#model;
  }

  set model(model) {
    this.#model = model;
    if (this.isConnected) this.#draw();
  }

  connectedCallback() {
    if (!this.querySelector('canvas')) {
      const box = document.createElement('div');
      box.className = 'canvas-box';
      box.tabIndex = 0;
      box.setAttribute('role', 'group');
      box.setAttribute('aria-label', 'Chart; the arrow keys read its values');
      box.addEventListener('keydown', (e) => this.#key(e));
      box.addEventListener('blur', () => this.#point(null));
      const canvas = document.createElement('canvas');
      canvas.setAttribute('role', 'img');
      box.append(canvas);
      const reading = document.createElement('p');
      reading.className = 'reading';
      reading.setAttribute('aria-live', 'polite');
      this.append(box, reading);
    }
    this.onTheme = () => {
      this.#chart?.destroy();
      this.#chart = null;
      this.#draw();
    };
    addEventListener('flagtally-theme', this.onTheme);
    if (this.#model) this.#draw();
  }

  disconnectedCallback() {
    removeEventListener('flagtally-theme', this.onTheme);
    this.#chart?.destroy();
    this.#chart = null;
  }

  /** The chart on the page's own ground, with what it shows in words, for a download. */
  png({ title, subtitle }) {
    const source = this.querySelector('canvas');
    const scale = source.width / source.clientWidth;
    const [margin, head, line] = [24, 58, 22];
    const copy = document.createElement('canvas');
    const ctx = copy.getContext('2d');
    const width = source.clientWidth + 2 * margin;
    ctx.font = fontOf(13);
    const rows = this.#legendRows(ctx, width - 2 * margin);
    copy.width = width * scale;
    copy.height = (source.clientHeight + 2 * margin + head + rows.length * line) * scale;
    ctx.scale(scale, scale);
    ctx.fillStyle = style('--surface');
    ctx.fillRect(0, 0, copy.width, copy.height);
    ctx.fillStyle = style('--ink');
    ctx.font = fontOf(18, '600');
    ctx.fillText(shortened(ctx, title, width - 2 * margin), margin, margin + 16);
    ctx.font = fontOf(13);
    ctx.fillStyle = style('--ink-muted');
    ctx.fillText(shortened(ctx, subtitle, width - 2 * margin), margin, margin + 38);
    rows.forEach((row, i) => row.forEach((each) => this.#legendEntry(ctx, each, margin + each.x, margin + head + i * line + 10)));
    ctx.drawImage(source, margin, margin + head + rows.length * line, source.clientWidth, source.clientHeight);
    return new Promise((done) => copy.toBlob(done, 'image/png'));
  }

  #legendRows(ctx, width) {
    const rows = [[]];
    let x = 0;
    for (const each of this.#model.series) {
      const name = shortened(ctx, each.name, width - 30);
      const wide = 30 + ctx.measureText(name).width + 20;
      if (x + wide - 20 > width && x > 0) {
        rows.push([]);
        x = 0;
      }
      rows[rows.length - 1].push({ ...each, name, x });
      x += wide;
    }
    return rows;
  }

  #legendEntry(ctx, { name, index, isDefault }, x, y) {
    const { token, dash } = look(index, isDefault);
    ctx.strokeStyle = style(token);
    ctx.lineWidth = 3;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x, y - 4);
    ctx.lineTo(x + 22, y - 4);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = style('--ink');
    ctx.fillText(name, x + 30, y);
  }

  #key(e) {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    const last = (this.#model?.labels.length ?? 0) - 1;
    const from = this.#at ?? (e.key === 'ArrowRight' ? -1 : last + 1);
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[e.key];
    if (to === undefined && e.key !== 'Escape') return;
    e.preventDefault();
    this.#point(to === undefined ? null : Math.min(last, Math.max(0, to)));
  }

  /** Puts the cross-hair on a step and says its values; null takes it away. */
  #point(at) {
    this.#at = at;
    const chart = this.#chart;
    if (!chart) return;
    const active = at === null ? [] : chart.data.datasets.map((_, datasetIndex) => ({ datasetIndex, index: at }));
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, { x: 0, y: 0 });
    chart.update('none');
    const value = valuesOf(this.#model);
    this.querySelector('.reading').textContent = at === null ? '' : `${this.#model.titles[at]}: ${
      chart.data.datasets.map((dataset) => `${dataset.label} ${value(dataset.data[at])}`).join(', ')}`;
  }

  #draw() {
    const model = this.#model;
    if (!model) return;
    if (!window.Chart) {
      const say = (text) => (this.querySelector('.reading').textContent = text);
      chartLibrary().then(() => {
        say('');
        if (this.isConnected) this.#draw();
      }, (e) => say(e.message));
      return;
    }
    const canvas = this.querySelector('canvas');
    canvas.setAttribute('aria-label', model.label);
    const datasets = this.#datasets(model);
    const kind = model.kind === 'bars' ? 'bar' : 'line';
    if (this.#chart && this.#chart.config.type === kind && this.#chart.data.datasets.length === datasets.length) {
      this.#chart.data.labels = model.labels;
      datasets.forEach((dataset, i) => Object.assign(this.#chart.data.datasets[i], dataset));
      this.#chart.options = this.#options(model);
      this.#chart.update('none');
      if (this.#at !== null) this.#point(Math.min(this.#at, model.labels.length - 1));
      return;
    }
    this.#chart?.destroy();
    this.#chart = new window.Chart(canvas, {
      type: kind,
      data: { labels: model.labels, datasets },
      options: this.#options(model),
      plugins: [crosshair, endLabels(this), emptyBeginning(this)],
    });
  }

  #datasets(model) {
    const stacked = stacks(model);
    const sums = model.labels.map((_, i) => model.series.reduce((sum, each) => sum + (each.values[i] ?? 0), 0));
    return model.series.map((each) => {
      const { token, dash } = look(each.index, each.isDefault);
      const color = style(token);
      const values = model.kind === 'share' ? each.values.map((v, i) => (sums[i] ? v / sums[i] : null)) : each.values;
      return {
        label: each.name,
        data: values,
        borderColor: color,
        backgroundColor: stacked ? withAlpha(color, 0.55) : model.kind === 'bars' ? withAlpha(color, 0.85) : color,
        borderWidth: model.kind === 'bars' ? 0 : each.strong ? 3 : 2,
        borderDash: stacked ? [] : dash,
        borderRadius: 3,
        maxBarThickness: 56,
        fill: stacked ? 'stack' : false,
        pointRadius: model.labels.length === 1 ? 4 : 0,
        pointHoverRadius: 4,
        pointBackgroundColor: color,
        tension: 0,
        spanGaps: false,
        segment: model.partial
          ? { borderDash: (at) => (at.p1DataIndex === model.labels.length - 1 ? [2, 3] : undefined) }
          : undefined,
      };
    });
  }

  #options(model) {
    const ink = style('--ink-muted');
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    const value = valuesOf(model);
    const room = labelRoom(this, model);
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      layout: { padding: { top: 6, right: room } },
      scales: {
        x: {
          stacked: stacks(model),
          grid: { display: false },
          border: { color: style('--line-strong') },
          ticks: {
            color: ink,
            font,
            maxRotation: 0,
            autoSkip: false,
            // The last step always has its label, and as many before it as there is room for.
            callback: (_, i) => {
              const fitting = Math.max(1, Math.floor((this.clientWidth - 60 - room) / TICK_WIDTH));
              return (model.labels.length - 1 - i) % Math.ceil(model.labels.length / fitting) === 0 ? model.labels[i] : null;
            },
          },
        },
        y: {
          stacked: stacks(model),
          beginAtZero: true,
          max: model.kind === 'share' ? 1 : undefined,
          suggestedMax: 4,
          grid: { color: style('--line') },
          border: { display: false },
          ticks: {
            color: ink,
            font,
            maxTicksLimit: 6,
            precision: model.kind === 'share' ? undefined : 0,
            callback: (v) => (model.kind === 'share' ? f.wholePercent(v) : f.compact(v)),
          },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: style('--tooltip'),
          titleColor: style('--tooltip-ink'),
          bodyColor: style('--tooltip-ink'),
          padding: 10,
          cornerRadius: 6,
          boxWidth: 10,
          boxHeight: 10,
          boxPadding: 4,
          titleFont: { ...font, weight: '600' },
          bodyFont: font,
          callbacks: {
            title: (items) => model.titles[items[0].dataIndex],
            label: (item) => ` ${item.dataset.label}: ${value(item.parsed.y)}`,
          },
        },
      },
    };
  }
}

/** A small line of values, for a row. Draws itself in SVG. */
class SparkLine extends HTMLElement {
  set values(values) {
    const text = (values ?? []).join(',');
    if (text === this.drawn) return;
    this.drawn = text;
    this.replaceChildren();
    if (!values || values.length < 2) return;
    const [width, height] = [120, 30];
    const top = Math.max(...values, 1);
    const points = values.map((v, i) => [
      ((i / (values.length - 1)) * (width - 4) + 2).toFixed(1),
      (height - 3 - (v / top) * (height - 6)).toFixed(1),
    ]);
    const line = points.map((p) => p.join(',')).join(' L');
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    for (const [name, d] of [
      ['area', `M2,${height - 2} L${line} L${width - 2},${height - 2} Z`],
      ['line', `M${line}`],
    ]) {
      const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
      path.setAttribute('class', name);
      path.setAttribute('d', d);
      svg.append(path);
    }
    this.append(svg);
  }
}

customElements.define('flag-chart', FlagChart);
customElements.define('spark-line', SparkLine);
