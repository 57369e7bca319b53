// One flag: its variations over time, and what happens to them just now.
import { html, nothing } from '../lib/lit-html.js';
import { every, LiveStream, read } from '../api.js';
import { swatch } from '../chart.js';
import * as f from '../format.js';
import { aboutUniques, choice, download, empty, failed, loading, named, stands, uniques, unreadSince } from '../parts.js';

const RANGES = [
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['14d', '14 days'],
  ['30d', '30 days'],
  ['dates', 'Dates'],
];
const DAYS = { '7d': 7, '14d': 14, '30d': 30 };
const DAYS_BACK_MAX = 30;
const REREAD_MILLIS = 5_000;

/** Every edge of an hour or day, in every zone there is, is one of these. */
const QUARTER_MILLIS = 900_000;

/** Relative standard error of an estimate, where an answer carries none. */
const ERROR = 0.0081;

export class Flag {
  constructor(app, id, query) {
    this.app = app;
    this.id = id;
    this.live = null;
    this.#take(query);
  }

  title() {
    return this.app.flagName(this.id) ?? this.id;
  }

  #take(query) {
    this.range = RANGES.some(([range]) => range === query.get('range')) ? query.get('range') : '24h';
    this.metric = query.get('metric') === 'uniques' ? 'uniques' : 'events';
    this.shape = ['lines', 'areas', 'share'].includes(query.get('shape')) ? query.get('shape') : 'lines';
    this.from = query.get('from') || f.plusDays(f.today(), -6);
    this.to = query.get('to') || f.today();
  }

  enter() {
    this.#read();
    this.stream = new LiveStream('/v1/live/evaluation_counts', { environmentId: this.app.environment, featureId: this.id }, {
      onEvent: (type, data) => this.#liveEvent(type, data),
      onState: (report) => {
        if (report.state !== 'live') this.rate = null;
        this.app.streamIs(report, 'Counts of flags');
      },
    });
    this.end = every(REREAD_MILLIS, () => {
      this.app.update();
      return this.changed || this.unread || quarter() !== this.readIn ? this.#read() : null;
    });
  }

  leave() {
    this.left = true;
    this.stream.close();
    this.end();
  }

  change(query) {
    const before = `${this.range} ${this.from} ${this.to}`;
    this.#take(query);
    if (before !== `${this.range} ${this.from} ${this.to}`) {
      this.error = null;
      this.#read();
    }
  }

  #liveEvent(type, data) {
    if (type === 'pulse') {
      this.rate = data.readable ? data.flags.find((each) => each.featureId === this.id)?.eventsPerSecond : null;
    } else {
      const flag = data.flags.find((each) => each.featureId === this.id);
      if (flag) {
        this.changed ||= type === 'change';
        this.live = { ...flag, date: data.date };
        this.#mergeToday();
      }
    }
    this.app.update();
  }

  async #read() {
    this.changed = false;
    this.readIn = quarter();
    const wanted = (this.wanted = `${this.range} ${this.from} ${this.to}`);
    try {
      const series = this.range === '24h' ? await this.#readHours() : await this.#readDays();
      if (this.left || wanted !== this.wanted) return;
      this.series = series;
      this.seriesOf = wanted;
      this.error = null;
      this.unread = null;
      this.#mergeToday();
    } catch (e) {
      if (this.left || wanted !== this.wanted) return;
      // What stands here stays while a store is away, and says so.
      const stays = this.#isRead && (e.status === 0 || e.status === 429 || e.status >= 500);
      this.error = stays ? null : e;
      this.unread = stays ? (this.unread ?? unreadSince(e)) : null;
      this.app.refused(e);
    }
    this.app.update();
  }

  async #readHours() {
    const asked = { environmentId: this.app.environment, featureId: this.id };
    const [answer, today] = await Promise.all([
      read('/v1/evaluation_timeseries_count', { ...asked, timeRange: 'TWENTY_FOUR_HOURS' }),
      read('/v1/evaluation_series', { ...asked, granularity: 'DAY', from: f.today() }),
    ]);
    this.app.learnSeries(today);
    const users = new Map(answer.userCounts.map((each) => [each.variationId, each.timeseries]));
    const estimate = (count) => ({ count: Number(count), standardError: Number(count) * ERROR });
    return {
      granularity: 'HOUR',
      unix: (answer.eventCounts[0]?.timeseries.timestamps ?? []).map(Number),
      variations: answer.eventCounts.map(({ variationId, timeseries }) => ({
        variationId,
        name: today.variations.find((each) => each.variationId === variationId)?.name ?? null,
        events: timeseries.values.map(Number),
        uniques: (users.get(variationId)?.values ?? []).map(estimate),
        total: {
          events: Number(timeseries.totalCounts),
          uniques: estimate(users.get(variationId)?.totalCounts ?? 0),
        },
      })),
    };
  }

  async #readDays() {
    const [from, to] = this.#dates;
    const answer = await read('/v1/evaluation_series', {
      environmentId: this.app.environment,
      featureId: this.id,
      granularity: 'DAY',
      from,
      to,
    });
    f.useZone(answer.zone);
    this.app.learnSeries(answer);
    return { granularity: 'DAY', unix: answer.buckets.map((step) => step.unix), variations: answer.variations };
  }

  get #dates() {
    const today = f.today();
    return this.range === 'dates' ? [this.from, this.to] : [f.plusDays(today, 1 - DAYS[this.range]), today];
  }

  /** Puts what the stream says of today in place of what was read of it, so that the last day moves. */
  #mergeToday() {
    const { series, live } = this;
    if (!series || !live || series.granularity !== 'DAY') return;
    const at = series.unix.findIndex((unix) => f.today(new Date(unix * 1000)) === live.date);
    if (at < 0) {
      this.changed ||= this.range !== 'dates';
      return;
    }
    for (const variation of series.variations) {
      const now = live.variations.find((each) => each.variationId === variation.variationId);
      if (!now || now.events < variation.events[at]) continue;
      variation.total.events += now.events - variation.events[at];
      variation.events[at] = now.events;
      variation.uniques[at] = now.uniques;
    }
  }

  // ---- page --------------------------------------------------------------------------------------------------------

  render() {
    const name = this.app.flagName(this.id);
    return html`
      <div class="page-head">
        <div><h1>${name ?? this.id}</h1>${name ? html`<p class="id">${this.id}</p>` : nothing}</div>
        <dl class="ticks">
          <div><dt>Today</dt><dd class="number" id="today-events">${f.count(this.live?.events)}</dd></div>
          <div><dt>A second</dt><dd class="number" id="rate">${f.rate(this.rate)}</dd></div>
          <div><dt>Counted until</dt><dd class="number">${f.time(this.live?.countedUntil)}</dd></div>
        </dl>
      </div>
      ${this.#controls()}
      ${this.error ? failed(this.error, () => this.#read()) : this.#isRead ? this.#body() : loading('Reading the counts…')}`;
  }

  #controls() {
    return html`
      <div class="controls">
        ${choice('Range', RANGES, this.range, (range) =>
          this.app.replace({ range, from: range === 'dates' ? this.from : null, to: range === 'dates' ? this.to : null }))}
        ${choice('What', [['events', 'Events'], ['uniques', 'Unique users']], this.metric, (metric) => this.app.replace({ metric }))}
        ${choice('Shape', [['lines', 'Lines'], ['areas', 'Stacked'], ['share', 'Share']], this.shape, (shape) => this.app.replace({ shape }))}
        <div class="actions">
          <button type="button" @click=${() => this.#copyLink()}>${this.copied ? 'Copied' : 'Copy link'}</button>
          <button type="button" ?disabled=${!this.#isRead} @click=${() => this.#csv()}>CSV</button>
          <button type="button" ?disabled=${!this.#isRead} @click=${() => this.#png()}>PNG</button>
        </div>
      </div>
      ${this.range === 'dates' ? this.#dateFields() : nothing}`;
  }

  #dateFields() {
    const oldest = f.plusDays(f.today(), -DAYS_BACK_MAX);
    const set = (name) => (e) => {
      if (e.target.value && e.target.checkValidity()) this.app.replace({ [name]: e.target.value });
    };
    return html`
      <div class="dates">
        <label>From <input type="date" .value=${this.from} min=${oldest} max=${this.to} @change=${set('from')}></label>
        <label>To <input type="date" .value=${this.to} min=${this.from} max=${f.today()} @change=${set('to')}></label>
        <span class="muted">days are kept for ${DAYS_BACK_MAX + 1} days</span>
      </div>`;
  }

  /** False while another range is still being read. */
  get #isRead() {
    return this.series && this.seriesOf === this.wanted;
  }

  /** True if the last hour or day that is shown is not over. */
  get #runs() {
    return this.range === '24h' || this.#dates[1] === f.today();
  }

  get #labels() {
    const hours = this.series.granularity === 'HOUR';
    const labels = this.series.unix.map((unix) => (hours ? f.hour(unix) : f.shortDay(unix)));
    if (this.#runs) labels[labels.length - 1] = hours ? 'now' : 'today';
    return labels;
  }

  get #titles() {
    const hours = this.series.granularity === 'HOUR';
    return this.series.unix.map((unix) => (hours ? `${f.day(unix)}, ${f.hour(unix)}` : f.day(unix)));
  }

  get #heading() {
    const of = this.metric === 'events' ? 'Events' : 'Unique users';
    return `${of} ${this.shape === 'share' ? 'by share ' : ''}per ${this.series.granularity === 'HOUR' ? 'hour' : 'day'}`;
  }

  #model() {
    const { series, metric, shape } = this;
    const name = (variation) => variation.name ?? variation.variationId;
    const first = series.unix.findIndex((_, i) => series.variations.some((variation) => variation.events[i] > 0));
    return {
      kind: shape,
      estimated: metric === 'uniques' && shape !== 'share',
      partial: shape === 'lines' && this.#runs,
      before: first > 0 ? this.#labels[first] : '',
      first,
      labels: this.#labels,
      titles: this.#titles,
      label: `${metric === 'events' ? 'Events' : 'Unique users'} of ${this.title()} by variation; the table beside it has the same numbers in sum`,
      series: series.variations.map((variation, index) => ({
        name: name(variation),
        isDefault: variation.variationId === 'default',
        index,
        values: metric === 'events' ? variation.events : variation.uniques.map((estimate) => estimate.count),
      })),
    };
  }

  #body() {
    const variations = this.series.variations;
    const total = variations.reduce((sum, each) => sum + each.total.events, 0);
    const unseen = total === 0 && !(this.live?.events > 0);
    return html`
      <div class="flag-body">
        <section class="card chart-card" aria-label="Chart">
          <div class="card-head"><h2>${this.#heading}</h2>
            ${this.shape === 'lines' && this.#runs ? html`<span class="hint">dotted: still running</span>` : nothing}</div>
          ${stands(this.unread)}
          ${unseen ? empty('Nothing in this range', 'No event of this flag was counted in it.') : html`<flag-chart .model=${this.#model()}></flag-chart>`}
        </section>
        <section class="card" aria-label="Variations">
          <h2>Variations</h2>
          <div class="table-box" tabindex="0" role="region" aria-label="Variations of the flag">
            <table class="variations">
              <thead><tr><th scope="col">Variation</th><th scope="col" class="right">Events</th><th scope="col" class="right">Share</th>
                <th scope="col" class="right">Unique users<br>± 0.8 %</th><th scope="col" class="right wide">Today</th></tr></thead>
              <tbody>${variations.map((variation, i) => this.#row(variation, i, total))}</tbody>
              <tfoot><tr><th scope="row">All</th><td class="right number">${f.count(total)}</td><td></td><td></td>
                <td class="right number wide">${f.count(this.live?.events)}</td></tr></tfoot>
            </table>
          </div>
          ${aboutUniques}
        </section>
      </div>`;
  }

  #row(variation, index, total) {
    const isDefault = variation.variationId === 'default';
    const today = this.live?.variations.find((each) => each.variationId === variation.variationId);
    const share = total ? variation.total.events / total : null;
    return html`<tr>
      <th scope="row"><span class="with-swatch"><span class=${swatch(index, isDefault)}></span>
        ${isDefault
          ? html`<span class="named" title="The SDK served the value in the code: no evaluation, or an error"><span class="name">default</span>
              <span class="hint">value in the code</span></span>`
          : named(variation.name, variation.variationId)}</span></th>
      <td class="right number">${f.count(variation.total.events)}</td>
      <td class="right number">${f.percent(share)}</td>
      <td class="right">${uniques(variation.total.uniques)}</td>
      <td class="right number wide">${f.count(today?.events)}</td>
    </tr>`;
  }

  // ---- taking it along ---------------------------------------------------------------------------------------------

  get #fileName() {
    return `${this.id.replaceAll(/[^\w.-]+/g, '_')}-${this.range === 'dates' ? `${this.from}-${this.to}` : this.range}`;
  }

  #csv() {
    const rows = [['start', 'zone', 'featureId', 'variationId', 'variation', 'events', 'uniques', 'uniquesStandardError']];
    this.series.unix.forEach((unix, i) =>
      this.series.variations.forEach((each) =>
        rows.push([new Date(unix * 1000).toISOString(), f.zoneName(), this.id, each.variationId, each.name ?? '', each.events[i],
          each.uniques[i]?.count, each.uniques[i]?.standardError])));
    download(`${this.#fileName}.csv`, f.csv(rows), 'text/csv');
  }

  async #png() {
    const chart = document.querySelector('flag-chart');
    if (!chart) return;
    const titles = this.#titles;
    f.download(`${this.#fileName}.png`, await chart.png({
      title: `${this.title()} · ${this.#heading}`,
      subtitle: `${this.id} · ${this.app.environment} · ${titles[0]} – ${titles[titles.length - 1]} · ${f.zoneName()}`,
    }));
  }

  async #copyLink() {
    this.app.replace({ range: this.range, metric: this.metric, shape: this.shape });
    try {
      await navigator.clipboard.writeText(location.href);
      this.copied = true;
      setTimeout(() => {
        this.copied = false;
        this.app.update();
      }, 2000);
    } catch {
      prompt('The link to this view', location.href);
    }
    this.app.update();
  }
}

const quarter = () => Math.floor(Date.now() / QUARTER_MILLIS);
