// Who was active: exact numbers, by day, week, month and rolling days, and by SDK.
import { html, nothing } from '../lib/lit-html.js';
import { call, every, LiveStream, read, withQuery } from '../api.js';
import { namesItsLines } from '../chart.js';
import * as f from '../format.js';
import { choice, empty, failed, figure, loading, stands, unreadSince } from '../parts.js';

const STEPS = [
  ['DAY', 'Days'],
  ['WEEK', 'Weeks'],
  ['MONTH', 'Months'],
  ['ROLLING_30', 'Rolling 30 days'],
];
const DAYS_SHOWN = { DAY: 30, WEEK: 84, MONTH: 365, ROLLING_30: 30 };
const POLL_MILLIS = 60_000;
const ROWS_SHOWN = 10;

export class ActiveUsers {
  constructor(app, id, query) {
    this.app = app;
    this.now = {};
    this.change(query);
  }

  title() {
    return 'Active users';
  }

  enter() {
    this.stream = new LiveStream('/v1/live/active_users', { environmentId: this.app.environment }, {
      onEvent: (type, data) => {
        if (type !== 'pulse') this.live = data;
        this.app.update();
      },
      onState: (report) => this.app.streamIs(report, 'Active users'),
    });
    this.#readNow();
    this.end = every(POLL_MILLIS, () => Promise.all([this.#read(), this.#readNow()]));
  }

  leave() {
    this.stream.close();
    this.end();
  }

  change(query) {
    const step = query.get('by') ?? 'DAY';
    const next = STEPS.some(([each]) => each === step) ? step : 'DAY';
    if (next !== this.step) {
      this.step = next;
      this.#read();
    }
  }

  get #range() {
    const today = f.today();
    const from = f.plusDays(today, 1 - DAYS_SHOWN[this.step]);
    return this.step === 'MONTH' ? { from: from.slice(0, 7), to: today.slice(0, 7) } : { from, to: today };
  }

  async #read() {
    const granularity = this.step;
    try {
      const answer = await read('/v1/active_users', { environmentId: this.app.environment, granularity, ...this.#range });
      if (granularity !== this.step) return;
      f.useZone(answer.zone);
      const first = answer.steps.findIndex((step) => step.users > 0);
      this.steps = first < 0 ? [] : answer.steps.slice(first);
      this.shown = granularity;
      this.error = null;
      this.unread = null;
    } catch (e) {
      if (granularity !== this.step) return;
      // What stands here stays while the store is away, and says so.
      const stays = this.shown === granularity && e.status !== 403;
      this.error = stays ? null : e;
      this.unread = stays ? (this.unread ?? unreadSince(e)) : null;
      this.app.refused(e);
    }
    this.app.update();
  }

  async #readNow() {
    const today = f.today();
    const environmentId = this.app.environment;
    const last = async (granularity, from, to) =>
      (await read('/v1/active_users', { environmentId, granularity, from, to })).steps;
    const lastMonth = f.plusDays(`${today.slice(0, 7)}-01`, -1).slice(0, 7);
    const parts = await Promise.allSettled([
      last('DAY', f.plusDays(today, -1), today),
      last('WEEK', f.plusDays(today, -7), today),
      last('ROLLING_30', today, today),
      last('MONTH', lastMonth, today.slice(0, 7)),
    ]);
    ['day', 'week', 'rolling', 'month'].forEach((name, i) => (this.now[name] = parts[i].value ?? this.now[name]));
    const failure = parts.find((part) => part.reason)?.reason;
    this.unreadNow = failure ? (this.unreadNow ?? unreadSince(failure)) : null;
    this.app.update();
  }

  render() {
    const { day, week, rolling, month } = this.now;
    const at = (steps, back = 0) => steps?.[steps.length - 1 - back]?.users;
    return html`
      <h1>Active users</h1>
      <p class="lead">Exact: each user counts once, whatever the number of events and SDKs.</p>
      <dl class="figures">
        ${figure('Today', f.count(this.live?.today.users ?? at(day)), html`yesterday: ${f.count(at(day, 1))}`)}
        ${figure('This week, Monday to Sunday', f.count(at(week)), html`last week: ${f.count(at(week, 1))}`)}
        ${figure('The last 30 days', f.count(at(rolling)), 'rolling, with today')}
        ${figure('This month', f.count(this.live?.month.users ?? at(month)),
          month?.length > 1 ? html`${f.month(month[0].from)}: ${f.count(at(month, 1))}` : nothing)}
      </dl>
      ${stands(this.unreadNow)}
      <div class="controls">
        ${choice('By', STEPS, this.step, (by) => this.app.replace({ by }))}
        <div class="actions">
          <button type="button" ?disabled=${!this.steps} @click=${() => this.#csv()}>CSV</button>
          <button type="button" ?disabled=${!this.steps} @click=${() => this.#png()}>PNG</button>
        </div>
      </div>
      ${this.error ? failed(this.error, () => this.#read()) : this.steps && this.shown === this.step ? this.#body() : loading('Reading the active users…')}
      <details class="about card">
        <summary>Why are these exact, where unique users of a flag are not?</summary>
        <p>For active users there is one row for each user and month, with a bit for each day, in PostgreSQL; a user who comes
          again changes nothing. So days, weeks, months and rolling days are counted, not estimated, and a user of two SDKs
          counts once. The users of each variation of each flag would be thousands of times as many rows, so there a sketch
          of fixed size estimates them to ±0.8 %.</p>
      </details>`;
  }

  #name(step) {
    if (this.shown === 'MONTH') return f.month(step.from);
    if (this.shown === 'DAY') return f.localDate(step.from, { weekday: 'short', day: 'numeric', month: 'short' });
    return `${f.localDate(step.from)} – ${f.localDate(step.to)}`;
  }

  get #labels() {
    const labels = this.steps.map((step) =>
      this.shown === 'MONTH' ? f.localDate(step.from, { month: 'short', year: '2-digit' })
        : f.localDate(this.shown === 'ROLLING_30' ? step.to : step.from));
    if (this.shown === 'DAY' || this.shown === 'ROLLING_30') labels[labels.length - 1] = 'today';
    return labels;
  }

  get #heading() {
    return `Active users by ${{ DAY: 'day', WEEK: 'week', MONTH: 'month', ROLLING_30: '30 days that end with each date' }[this.shown]}`;
  }

  #body() {
    if (this.steps.length === 0) {
      return html`<section class="card">${empty('Nobody yet', 'Users show here as soon as one of their events was counted.')}</section>`;
    }
    const sources = [...new Set(this.steps.flatMap((step) => step.sources.map((each) => each.sourceId)))].sort();
    const of = (step, source) => step.sources.find((each) => each.sourceId === source)?.users ?? 0;
    const line = (name, values, index, strong) => ({ name, values, index, strong });
    const model = {
      kind: this.shown === 'MONTH' ? 'bars' : 'lines',
      partial: this.shown === 'DAY' || this.shown === 'WEEK',
      labels: this.#labels,
      titles: this.steps.map((step) => this.#name(step)),
      label: 'Active users, all and by SDK; the table below has the same numbers',
      series: [
        line('All', this.steps.map((step) => step.users), 0, true),
        ...(sources.length > 1 ? sources.map((source, i) => line(f.source(source), this.steps.map((step) => of(step, source)), i + 1)) : []),
      ],
    };
    return html`
      <section class="card chart-card">
        <div class="card-head"><h2>${this.#heading}</h2>
          ${model.partial ? html`<span class="hint">dotted: still running</span>` : nothing}</div>
        ${stands(this.unread)}
        ${namesItsLines(model) || model.series.length === 1 ? nothing : html`<ul class="legend">${model.series.map((each) => html`<li><span class="swatch swatch-${each.index % 6 + 1}"></span>${each.name}</li>`)}</ul>`}
        <flag-chart .model=${model}></flag-chart>
      </section>
      <section class="card">
        <h2>By SDK</h2>
        <div class="table-box steps" tabindex="0" role="region" aria-label="Active users by SDK">
          <table>
            <thead><tr><th scope="col">${this.shown === 'MONTH' ? 'Month' : 'Dates'}</th><th scope="col" class="right">All</th>
              ${sources.map((source) => html`<th scope="col" class="right" title=${source}>${f.source(source)}</th>`)}<th scope="col" class="right">Events</th></tr></thead>
            <tbody>${[...this.steps].reverse().slice(0, this.all ? undefined : ROWS_SHOWN).map(
              (step) => html`<tr><th scope="row">${this.#name(step)} ${this.#marks(step)}</th>
                <td class="right number strong">${f.count(step.users)}</td>
                ${sources.map((source) => html`<td class="right number">${f.count(of(step, source))}</td>`)}
                <td class="right number muted">${f.count(step.events)}</td></tr>`,
            )}</tbody>
          </table>
        </div>
        ${this.steps.length > ROWS_SHOWN ? html`<button type="button" class="more" @click=${() => this.#toggle()}>${
          this.all ? `Show ${ROWS_SHOWN}` : `Show all ${this.steps.length}`}</button>` : nothing}
        <p class="hint">A user of two SDKs is in both columns and once in “All”.
          ${this.shown === 'MONTH' ? 'Open: late events can still change the month. Revised: one did, or an erasure, after the month had ended.' : nothing}</p>
      </section>`;
  }

  #toggle() {
    this.all = !this.all;
    this.app.update();
  }

  #marks(step) {
    const revised = this.shown === 'MONTH' && step.revisedAt && f.today(new Date(step.revisedAt)) > step.to;
    return html`${step.open ? html`<span class="tag">open</span>` : nothing}
      ${revised ? html`<span class="tag warning" title="A late event or an erasure changed it on ${f.dateTime(step.revisedAt)}">revised ${f.shortDay(step.revisedAt)}</span>` : nothing}`;
  }

  async #csv() {
    try {
      const path = withQuery('/v1/active_users', { environmentId: this.app.environment, granularity: this.step, ...this.#range });
      f.download(`active-users-${this.step.toLowerCase()}.csv`, await call(path, { accept: 'text/csv', as: 'blob' }));
    } catch (e) {
      this.error = e;
      this.app.update();
    }
  }

  async #png() {
    const chart = document.querySelector('flag-chart');
    if (!chart) return;
    f.download(`active-users-${this.step.toLowerCase()}.png`, await chart.png({
      title: this.#heading,
      subtitle: `${this.app.environment} · ${this.#name(this.steps[0])} – ${this.#name(this.steps[this.steps.length - 1])} · ${f.zoneName()}`,
    }));
  }
}
