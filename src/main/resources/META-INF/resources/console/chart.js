// Charts as custom elements: give <flag-chart> a model, <spark-line> its values.
import * as f from './format.js';

let library;

/** Chart.js, fetched when the first chart is to be drawn. */
export function chartLibrary() {
  library ??= new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = '/console/lib/chart.umd.min.js';
    script.onload = done;
    script.onerror = () => failed(new Error('The chart library could not be loaded.'));
    document.head.append(script);
  });
  return library;
}

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Colours by Okabe and Ito, told apart by the colour-blind; from the seventh on a dashed line tells more. */
const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];
const DASHES = [[], [7, 4], [2, 3]];

/** How a series looks, by its place; `default` is grey and dashed whatever its place. */
export function look(index, isDefault) {
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

/**
 * Model: { labels, titles, series: [{ name, values, isDefault, index }], kind: 'lines' | 'areas' | 'share' | 'bars',
 * estimated, label }. `partial` says that the last step still runs; it is drawn lighter.
 */
class FlagChart extends HTMLElement {
  #chart = null;
  #model = null;

  set model(model) {
    this.#model = model;
    if (this.isConnected) this.#draw();
  }

  connectedCallback() {
    if (!this.querySelector('canvas')) {
      const box = document.createElement('div');
      box.className = 'canvas-box';
      const canvas = document.createElement('canvas');
      canvas.setAttribute('role', 'img');
      box.append(canvas);
      this.append(box);
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

  /** The chart on the page's own ground, for a download. */
  png() {
    const source = this.querySelector('canvas');
    const copy = document.createElement('canvas');
    const margin = 24;
    copy.width = source.width + 2 * margin;
    copy.height = source.height + 2 * margin;
    const ctx = copy.getContext('2d');
    ctx.fillStyle = style('--surface');
    ctx.fillRect(0, 0, copy.width, copy.height);
    ctx.drawImage(source, margin, margin);
    return new Promise((done) => copy.toBlob(done, 'image/png'));
  }

  #draw() {
    const model = this.#model;
    if (!model) return;
    if (!window.Chart) {
      chartLibrary().then(() => this.isConnected && this.#draw());
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
      return;
    }
    this.#chart?.destroy();
    this.#chart = new window.Chart(canvas, {
      type: kind,
      data: { labels: model.labels, datasets },
      options: this.#options(model),
      plugins: [crosshair],
    });
  }

  #datasets(model) {
    const stacked = model.kind === 'areas' || model.kind === 'share';
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
    const value = (v) =>
      model.kind === 'share' ? f.percent(v) : model.estimated ? f.approximately(v) : f.count(v);
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
      layout: { padding: { top: 6, right: 4 } },
      scales: {
        x: {
          stacked: model.kind === 'areas' || model.kind === 'share',
          grid: { display: false },
          border: { color: style('--line-strong') },
          ticks: { color: ink, font, maxRotation: 0, autoSkipPadding: 18 },
        },
        y: {
          stacked: model.kind === 'areas' || model.kind === 'share',
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
            callback: (v) => (model.kind === 'share' ? `${Math.round(v * 100)} %` : f.compact(v)),
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
