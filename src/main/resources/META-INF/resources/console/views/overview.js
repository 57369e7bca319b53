// What goes on just now, at a glance.
import { html, nothing } from '../lib/lit-html.js';
import { every, LiveStream, read } from '../api.js';
import * as f from '../format.js';
import { empty, failed, figure, loading, named } from '../parts.js';

const TOP = 10;
const SPARK_HOURS = 24;
const SLOW_POLL_MILLIS = 60_000;
const HEALTH_POLL_MILLIS = 10_000;
const RATE_SECONDS = 10;

export class Overview {
  constructor(app) {
    this.app = app;
    this.flags = null;
    this.order = [];
    this.rates = new Map();
    this.sparks = new Map();
    this.users = null;
    this.months = null;
    this.seen = [];
    this.pulse = null;
    this.health = null;
    this.ledger = null;
    this.error = null;
  }

  title() {
    return 'Overview';
  }

  enter() {
    const environmentId = this.app.environment;
    this.streams = [
      new LiveStream('/v1/live/evaluation_counts', { environmentId, top: TOP }, {
        onEvent: (type, data) => this.#counts(type, data),
        onState: (report) => this.app.streamIs(report, 'Counts of flags'),
      }),
      new LiveStream('/v1/live/active_users', { environmentId }, {
        onEvent: (type, data) => type !== 'pulse' && this.#active(data),
        onState: (report) => {
          if (report.state !== 'live') this.seen = [];
          this.app.streamIs(report, 'Active users');
        },
      }),
    ];
    this.#readSlow();
    this.#readHealth();
    this.timers = [
      every(SLOW_POLL_MILLIS, () => this.#readSlow()),
      every(HEALTH_POLL_MILLIS, () => this.#readHealth()),
      every(1000, () => this.app.update()),
    ];
  }

  leave() {
    this.streams.forEach((stream) => stream.close());
    this.timers.forEach((end) => end());
    this.left = true;
  }

  #counts(type, data) {
    if (type === 'pulse') {
      this.rates = new Map(data.readable ? data.flags.map((flag) => [flag.featureId, flag.eventsPerSecond]) : []);
      this.pulse = data;
    } else {
      if (type === 'snapshot' || data.date !== this.date || !this.flags) this.flags = new Map();
      this.date = data.date;
      f.useZone(data.zone);
      if (data.featureIds) this.order = data.featureIds;
      data.flags.forEach((flag) => this.flags.set(flag.featureId, flag));
      this.#readSparks(this.order.filter((id) => !this.sparks.has(id)));
    }
    this.app.update();
  }

  #active(data) {
    if (data.today.date !== this.users?.today.date) this.seen = [];
    this.users = data;
    this.seen.push([performance.now(), data.today.events]);
    this.app.update();
  }

  /** Events a second of the environment: what the day's sum grew by in the last seconds. */
  get #rate() {
    if (this.seen.length === 0) return null;
    const now = performance.now();
    while (this.seen.length > 1 && this.seen[1][0] <= now - RATE_SECONDS * 1000) this.seen.shift();
    const [since, first] = this.seen[0];
    const seconds = Math.min(RATE_SECONDS, (now - since) / 1000);
    return seconds < 2 ? null : (this.seen[this.seen.length - 1][1] - first) / seconds;
  }

  /** False if no process counts active users, so that their sums say nothing of what goes on. */
  get #countsUsers() {
    const sinks = (this.ledger?.hours ?? []).flatMap((hour) => hour.sinks.map((sink) => sink.sink));
    return sinks.length === 0 || sinks.includes('mau');
  }

  async #readSparks(ids) {
    ids.forEach((id) => this.sparks.set(id, this.sparks.get(id) ?? null));
    await Promise.all(ids.map((id) => this.#readSpark(id)));
  }

  /** The last hours of a flag, and its names; what fails is tried again with the next look at the pipeline. */
  async #readSpark(featureId) {
    const today = f.today();
    try {
      const series = await read('/v1/evaluation_series', {
        environmentId: this.app.environment,
        featureId,
        granularity: 'HOUR',
        from: f.plusDays(today, -1),
        to: today,
      });
      if (this.left) return;
      this.app.learnSeries(series);
      const now = Date.now() / 1000;
      const until = series.buckets.filter((step) => step.unix <= now).length;
      const sums = series.buckets.map((_, i) => series.variations.reduce((sum, each) => sum + each.events[i], 0));
      this.sparks.set(featureId, sums.slice(Math.max(0, until - SPARK_HOURS), until));
    } catch (e) {
      this.app.refused(e);
    }
    this.app.update();
  }

  async #readSlow() {
    const environmentId = this.app.environment;
    try {
      const today = f.today();
      const lastMonth = f.plusDays(`${today.slice(0, 7)}-01`, -1).slice(0, 7);
      this.months = (await read('/v1/active_users', { environmentId, from: lastMonth, to: today.slice(0, 7) })).steps;
      this.error = null;
    } catch (e) {
      // What stands here stays while a store is away; the note over the page says so.
      if (!this.months || e.status === 403) this.error = e;
      this.app.refused(e);
    }
    await this.#readSparks(this.order);
    this.app.update();
  }

  async #readHealth() {
    try {
      [this.health, this.ledger] = await Promise.all([read('/v1/pipeline'), read('/v1/ledger', { hours: 24 })]);
      this.healthError = null;
    } catch (e) {
      // What stands here stays while the service is away; the note over the page says how old it is.
      if (!(e.status === 0 && this.health)) this.healthError = e;
      this.app.refused(e);
    }
    this.#readSparks(this.order.filter((id) => !this.sparks.get(id)));
    if (!this.left) this.app.update();
  }

  render() {
    return html`
      <h1>Overview</h1>
      ${this.error ? failed(this.error, () => this.#readSlow()) : nothing}
      <dl class="figures">
        ${this.#countsUsers
          ? html`${figure('Events a second', f.rate(this.#rate), 'counted here, goals too, over 10 s')}
              ${figure('Users today', f.count(this.users?.today.users), 'exact')}
              ${figure('Events today', f.count(this.users?.today.events), 'exact, goals too')}
              ${this.#mau()}`
          : html`${figure('Events a second', f.rate(this.health?.throughput.countedPerSecond), 'counted in all environments, over 10 s')}
              ${figure('Users today', '–', 'active users are not counted here')}
              ${figure('Active users this month', '–', 'no process runs the sink mau')}`}
      </dl>
      ${this.#busiest()} ${this.#pipeline()}`;
  }

  #mau() {
    const [last, current] = this.months ?? [];
    const users = this.users?.month.users ?? current?.users;
    const before = last ? html`so far · ${f.month(last.from)}: ${f.count(last.users)}` : nothing;
    return figure('Active users this month', f.count(users), before);
  }

  #busiest() {
    if (!this.flags) return html`<section class="card">${this.app.live?.state === 'refused' ? nothing : loading('Reading the busiest flags…')}</section>`;
    const rows = this.order.map((id) => this.flags.get(id)).filter((flag) => flag);
    if (rows.length === 0) {
      return html`<section class="card"><h2>Busiest flags today</h2>
        ${empty('No evaluations today', html`As soon as an SDK sends events they show here. <a href=${this.app.link('send')}>Send a test event</a>.`)}</section>`;
    }
    return html`
      <section class="card">
        <div class="card-head"><h2>Busiest flags today</h2><span class="hint">evaluations,
          without goals${this.app.flagsMatching === null ? nothing : html` · ${f.count(this.app.flagsMatching)} flags in all`}</span></div>
        <div class="table-box" tabindex="0" role="region" aria-label="Busiest flags">
          <table class="flags">
            <thead><tr><th scope="col">Flag</th><th scope="col" class="spark">Last 24 hours</th><th scope="col" class="right">Events</th>
              <th scope="col" class="right wide">A second</th><th scope="col" class="right wide">Last event</th></tr></thead>
            <tbody>${rows.map((flag) => this.#row(flag))}</tbody>
          </table>
        </div>
      </section>`;
  }

  #row(flag) {
    const id = flag.featureId;
    return html`<tr>
      <th scope="row"><a href=${this.app.flagLink(id)}>${named(this.app.flagName(id), id)}</a></th>
      <td class="spark"><spark-line .values=${this.sparks.get(id)}></spark-line></td>
      <td class="right number">${f.count(flag.events)}</td>
      <td class="right number wide">${f.rate(this.rates.get(id))}</td>
      <td class="right wide muted">${flag.countedUntil ? f.ago(flag.countedUntil) : '–'}</td>
    </tr>`;
  }

  #pipeline() {
    if (this.healthError) return html`<section class="card"><h2>Pipeline</h2>${failed(this.healthError, () => this.#readHealth())}</section>`;
    if (!this.health) return html`<section class="card">${loading('Reading how the pipeline does…')}</section>`;
    const { broker, throughput, last24Hours } = this.health;
    const sum = (reasons) => reasons.reduce((all, each) => all + each.events, 0);
    const wrong = this.#wrong();
    const lost = this.ledger.hours.some((hour) => hour.verdict === 'LOST_SIGHT');
    return html`
      <section class="card">
        <div class="card-head"><h2>Pipeline</h2><a href=${this.app.link('pipeline')}>Details</a></div>
        <p class="verdict ${wrong ? 'bad' : lost ? 'unsure' : 'good'}">${wrong ?? (lost ? 'Events come through; a process ended without a last word.' : 'Events come through, and the numbers add up.')}</p>
        <dl class="facts">
          <div><dt>Broker</dt><dd>${broker?.name ?? '–'}</dd></div>
          <div><dt>Waiting in it</dt><dd>${f.count(this.pulse?.broker?.lag ?? broker?.lag)}</dd></div>
          <div><dt>Counted a second, all environments</dt><dd>${f.rate(throughput.countedPerSecond)}</dd></div>
          <div><dt>Refused in 24 h</dt><dd>${f.count(sum(last24Hours.refused))}</dd></div>
          <div><dt>Set aside in 24 h</dt><dd>${f.count(sum(last24Hours.deadLetters))}</dd></div>
        </dl>
      </section>`;
  }

  /** What is wrong with the pipeline, in a sentence; null if nothing is. */
  #wrong() {
    const unread = this.health.stores.find((store) => store.error);
    if (this.health.broker?.missing) return this.health.broker.missing;
    if (this.pulse && !this.pulse.readable) return 'The counts cannot be read just now; what stands here is the last of them.';
    if (unread) return unread.error;
    if (this.ledger.hours.some((hour) => hour.verdict === 'DOES_NOT_ADD_UP')) return 'The numbers of the last hours do not add up.';
    return null;
  }
}
