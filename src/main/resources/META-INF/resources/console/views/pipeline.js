// How events come through, what was set aside, and whether the numbers add up.
import { html, nothing } from '../lib/lit-html.js';
import { every, read } from '../api.js';
import * as f from '../format.js';
import { choice, empty, failed, figure, loading, named } from '../parts.js';

const POLL_MILLIS = 5_000;
const LETTERS_SHOWN = 20;

const VERDICTS = {
  ADDS_UP: ['good', 'adds up'],
  UNDER_WAY: ['good', 'under way'],
  REPEATED: ['good', 'delivered again'],
  LOST_SIGHT: ['unsure', 'lost sight of a process'],
  DOES_NOT_ADD_UP: ['bad', 'does not add up'],
};

/** What takes the space, by the names that the stores have for it. */
const KINDS = {
  ids: 'Ids of events, to know repeats',
  'event counters': 'Events of flags',
  'user counters': 'Unique users of flags',
  catalog: 'Flags and variations seen',
  event_identity: 'Ids of events, to know repeats',
  mau: 'Active users by SDK',
  mau_user: 'Active users',
  active_users_summary: 'Sums of active users',
  dead_letter: 'Dead letters',
  event_ledger: 'The ledger',
  ledger_process: 'Processes of the ledger',
  store_size: 'Sizes of the stores',
  job_run: 'Runs of jobs',
  label: 'Names',
};

/** So many kinds stand below a store; the rest is small. */
const KINDS_SHOWN = 6;

export class Pipeline {
  constructor(app, id, query) {
    this.app = app;
    this.parts = {};
    this.errors = {};
    this.code = '';
    this.pages = [null];
    this.change(query);
  }

  title() {
    return 'Pipeline';
  }

  enter() {
    this.#readAll();
    this.end = every(POLL_MILLIS, () => this.#readAll());
  }

  leave() {
    this.left = true;
    this.end();
  }

  change(query) {
    const hours = query.get('hours') === '168' ? 168 : 24;
    if (hours !== this.hours) {
      this.hours = hours;
      if (this.end) this.#part('ledger', '/v1/ledger', { hours });
    }
  }

  async #readAll() {
    const results = await Promise.all([
      this.#part('pipeline', '/v1/pipeline'),
      this.#part('ledger', '/v1/ledger', { hours: this.hours }),
      this.#readLetters(),
      this.#part('jobs', '/v1/batch/jobs'),
      this.#part('doubts', '/v1/doubts'),
    ]);
    if (this.left) return;
    // The pipeline is asked for again and again; when the service is away, what stands here grows old.
    const state = results.every((status) => status === 0) ? 'lost' : 'live';
    if (state !== this.state) this.app.streamIs({ state, detail: '', since: Date.now() }, 'The pipeline');
    this.state = state;
  }

  #readLetters() {
    return this.#part('letters', '/v1/dead_letters', {
      environmentId: this.app.environment,
      code: this.code,
      after: this.pages[this.pages.length - 1],
      limit: LETTERS_SHOWN,
    });
  }

  /** Shows letters of a reason, or another page of them. */
  #turnTo(code, pages) {
    this.code = code;
    this.pages = pages;
    this.#readLetters();
  }

  async #part(name, path, parameters) {
    const asked = (this.asked ??= {});
    const wanted = JSON.stringify(parameters);
    asked[name] = wanted;
    try {
      const answer = await read(path, parameters);
      if (this.left || asked[name] !== wanted) return 200;
      this.parts[name] = answer;
      delete this.errors[name];
      return 200;
    } catch (e) {
      if (this.left || asked[name] !== wanted) return e.status;
      // What stands here stays while the service is away; the note over the page says how old it is.
      if (!(e.status === 0 && this.parts[name])) this.errors[name] = e;
      if (e.status === 401 || (e.status === 403 && name !== 'letters')) this.app.refused(e);
      return e.status;
    } finally {
      if (!this.left) this.app.update();
    }
  }

  render() {
    return html`
      <h1>Pipeline</h1>
      <p class="lead">Of the whole installation, all environments; dead letters of the one chosen.</p>
      ${this.#section('pipeline', 'Reading the pipeline…', (pipeline) => this.#flow(pipeline))}
      ${this.#section('ledger', 'Reading the ledger…', (ledger) => this.#trust(ledger))}
      ${this.#section('pipeline', 'Reading what was refused…', ({ last24Hours }) => html`<div class="two">
        ${reasons('Refused at the door, 24 hours', last24Hours.refused, 'No event was at fault.')}
        ${reasons('Set aside, 24 hours', last24Hours.deadLetters, 'Every event was counted.')}
      </div>`)}
      ${this.#section('letters', 'Reading the dead letters…', (letters) => this.#letters(letters))}
      ${this.#section('pipeline', 'Measuring the stores…', (pipeline) => this.#stores(pipeline))}
      ${this.#section('jobs', 'Reading the jobs…', (jobs) => this.#jobs(jobs))}
      ${this.#section('doubts', 'Reading doubts…', (doubts) => this.#doubts(doubts))}`;
  }

  #section(part, waiting, draw) {
    if (this.errors[part]?.status === 403) {
      return part === 'letters' ? html`<section class="card"><h2>Dead letters</h2>
        ${empty('Not with this key', 'They show events with their users, and so are for keys with the role ADMIN.')}</section>` : nothing;
    }
    if (this.errors[part]) return html`<section class="card">${failed(this.errors[part], () => this.#readAll())}</section>`;
    return this.parts[part] ? draw(this.parts[part]) : html`<section class="card">${loading(waiting)}</section>`;
  }

  #flow(pipeline) {
    const { broker, throughput, instances } = pipeline;
    return html`
      ${broker?.missing ? html`<div class="note bad" role="alert">${broker.missing}</div>` : nothing}
      <dl class="figures">
        ${figure('Accepted a second', f.rate(throughput.acceptedPerSecond), 'at the doors')}
        ${figure('Counted a second', f.rate(throughput.countedPerSecond), 'without repeats')}
        ${figure('Waiting', f.count(broker?.lag), broker ? `messages in the broker: ${broker.name}` : 'no broker here')}
        ${figure('Processes', f.count(instances.length), 'heard of in the last 30 s')}
      </dl>
      ${instances.length === 0 ? nothing : html`
        <section class="card">
          <h2>Processes</h2>
          <div class="table-box" tabindex="0" role="region" aria-label="Processes">
            <table>
              <thead><tr><th scope="col">Process</th><th scope="col">Up since</th><th scope="col" class="right">In flight</th>
                <th scope="col" class="right">Waiting batches</th><th scope="col" class="right">Batch, median</th>
                <th scope="col" class="right">p99</th><th scope="col" class="right">Write, median</th><th scope="col" class="right">p99</th></tr></thead>
              <tbody>${instances.map((each) => html`<tr>
                <th scope="row"><code>${each.instance}</code></th><td>${f.dateTime(each.startedAt)}</td>
                <td class="right number">${f.count(each.inFlightEvents)}</td><td class="right number">${f.count(each.waitingBatches)}</td>
                <td class="right number">${f.count(each.batchEvents.p50)}</td><td class="right number">${f.count(each.batchEvents.p99)}</td>
                <td class="right number">${f.millis(each.flushMillis.p50)}</td><td class="right number">${f.millis(each.flushMillis.p99)}</td></tr>`)}</tbody>
            </table>
          </div>
        </section>`}`;
  }

  #trust(ledger) {
    const hours = ledger.hours;
    const sinks = [...new Set(hours.flatMap((hour) => hour.sinks.map((sink) => sink.sink)))];
    const [tone, words] = judgement(hours);
    return html`
      <section class="card trust">
        <div class="card-head"><h2>Can the numbers be trusted?</h2>
          ${choice('Hours', [[24, '24 hours'], [168, '7 days']], this.hours, (next) => this.app.replace({ hours: next === 24 ? null : next }))}</div>
        <p class="verdict ${tone}">${words}</p>
        ${hours.length === 0 ? nothing : html`
        <div class="table-box" tabindex="0" role="region" aria-label="Accepted and counted, hour by hour">
          <table>
            <thead>
              <tr><th scope="col" rowspan="2">Hour</th><th scope="col" rowspan="2">Verdict</th><th scope="col" rowspan="2" class="right">Accepted</th>
                <th scope="col" rowspan="2" class="right">± Delivery</th><th scope="col" rowspan="2" class="right">= Delivered</th>
                ${sinks.map((sink) => html`<th scope="colgroup" colspan=${this.#parts(sink, hours).length} class="group">= ${SINKS[sink] ?? sink}</th>`)}
                <th scope="col" rowspan="2" class="right">Refused</th></tr>
              <tr>${sinks.map((sink) => this.#parts(sink, hours).map(([name], i) => html`<th scope="col" class="right sub">${i ? `+ ${name}` : name}</th>`))}</tr>
            </thead>
            <tbody>${hours.map((hour) => this.#hour(hour, sinks, hours))}</tbody>
          </table>
        </div>`}
        <p class="hint">Each event that was accepted must be delivered, and each that was delivered must be counted, recognised as a
          repeat, or set aside: once for the active users, and once for the flags, which goals do not concern. <em>Delivery</em>: more
          came than was acknowledged, because the broker delivered again or a sender was told to try again though the event was
          written; or less, because events of the hour wait in the broker. Repeats are never counted. Refused events were not accepted.
          ${ledger.sinceStart ? html`Since ${f.dateTime(ledger.sinceStart.since)} the ledger says
            ${f.count(ledger.sinceStart.counted)} events were counted, the sums in PostgreSQL ${f.count(ledger.sinceStart.stored)}; these are some
            seconds ahead while events come in.` : nothing}</p>
      </section>`;
  }

  /** What the delivered events of a sink became; what never was is left out. */
  #parts(sink, hours) {
    return SINK_PARTS.filter(([, of], i) => i < 2 || hours.some((hour) => of(sinkOf(hour, sink), hour)));
  }

  #hour(hour, sinks, hours) {
    const [tone, words] = VERDICTS[hour.verdict] ?? ['unsure', hour.verdict];
    const accepted = hour.accepted + hour.imported;
    const delivered = hour.delivered + hour.imported;
    return html`<tr>
      <th scope="row">${f.day(hour.from)}, ${f.hour(hour.from)}</th>
      <td><span class="tag ${tone}">${words}</span>${difference(hour).map((text) => html`<small>${text}</small>`)}</td>
      <td class="right number" data-of="accepted">${f.count(accepted)}</td>
      <td class="right number muted" data-of="difference">${delivered === accepted ? '0' : `${delivered > accepted ? '+' : '−'}${f.count(Math.abs(delivered - accepted))}`}</td>
      <td class="right number" data-of="delivered">${f.count(delivered)}</td>
      ${sinks.map((name) => this.#parts(name, hours).map(([part, of]) => html`<td class="right number ${part === 'counted' ? 'strong' : 'muted'}"
        data-of="${name} ${part}">${f.count(of(sinkOf(hour, name), hour))}</td>`))}
      <td class="right number">${f.count(hour.refused)}</td>
    </tr>`;
  }

  #letters(answer) {
    const letters = answer.deadLetters;
    const codes = [...new Set([...(this.parts.pipeline?.last24Hours.deadLetters ?? []), ...letters].map((each) => each.code))].sort();
    const at = this.pages.length - 1;
    return html`
      <section class="card">
        <div class="card-head"><h2>Dead letters</h2>
          ${codes.length === 0 ? nothing : html`<label class="hint">Reason
            <select aria-label="Reason" @change=${(e) => this.#turnTo(e.target.value, [null])}>
              ${['', ...codes].map((code) => html`<option value=${code} .selected=${code === this.code}>${code || 'every'}</option>`)}
            </select></label>`}</div>
        ${letters.length === 0 ? empty('None', at ? 'There are no more.' : 'Nothing was set aside.') : html`<ul class="letters">${letters.map((letter) => this.#letter(letter))}</ul>`}
        ${at || answer.next ? html`<div class="pages">
          <button type="button" ?disabled=${!at} @click=${() => this.#turnTo(this.code, this.pages.slice(0, -1))}>Previous ${LETTERS_SHOWN}</button>
          <button type="button" ?disabled=${!answer.next} @click=${() => this.#turnTo(this.code, [...this.pages, answer.next])}>Next ${LETTERS_SHOWN}</button>
        </div>` : nothing}
      </section>`;
  }

  #letter(letter) {
    const { code, detail, putAt, payload } = letter;
    const facts = [
      ['Event', letter.eventId || '–'],
      ['SDK', f.source(letter.source)],
      ['Accepted', f.dateTime(letter.acceptedAt)],
      ['Set aside', letter.puts === 1 ? 'once' : `${f.count(letter.puts)} times`],
      ['Size', f.bytes(letter.payloadBytes)],
      ['Letter', letter.id],
      ['Format', letter.contentType],
    ];
    return html`<li><details>
      <summary><code>${code}</code> <span class="muted">${f.dateTime(putAt)}</span></summary>
      <p>${detail}</p>
      <dl class="facts small">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      <pre tabindex="0">${pretty(payload)}</pre>
    </details></li>`;
  }

  #stores(pipeline) {
    return html`<div class="two">${[...pipeline.stores].sort((a, b) => b.store.localeCompare(a.store)).map((store) => this.#store(store))}</div>`;
  }

  #store(store) {
    const grows = store.kinds.some((kind) => kind.growthBytesPerDay !== null);
    const growth = (bytes) => (bytes === null ? '–' : `${bytes >= 0 ? '+' : '−'}${f.bytes(Math.abs(bytes))}`);
    return html`
      <section class="card">
        <div class="card-head"><h2>${{ redis: 'Redis', postgres: 'PostgreSQL' }[store.store] ?? store.store}</h2><span class="number strong">${f.bytes(store.bytes)}</span></div>
        ${store.error ? html`<p class="verdict bad">${store.error}</p>` : html`
          ${this.#fullness(store)}
          <p class="hint">${store.growthBytesPerDay === null ? 'How it grows is known after an hour.' : `${growth(store.growthBytesPerDay)} a day.`}
            ${store.daysUntilFull === null ? nothing : `Full in ${f.count(store.daysUntilFull)} days.`}</p>
          <div class="table-box" tabindex="0" role="region" aria-label="What takes the space in ${store.store}">
            <table><thead><tr><th scope="col">What</th><th scope="col" class="right">Entries</th><th scope="col" class="right">Size</th>${grows ? html`<th scope="col" class="right">A day</th>` : nothing}</tr></thead>
              <tbody>${store.kinds.slice(0, KINDS_SHOWN).map((kind) => html`<tr>
                <th scope="row">${named(KINDS[kind.kind], kind.kind)}</th><td class="right number">≈ ${f.count(kind.entries)}</td>
                <td class="right number">${kind.estimated ? '≈ ' : ''}${f.bytes(kind.bytes)}</td>${grows ? html`<td class="right number muted">${growth(kind.growthBytesPerDay)}</td>` : nothing}</tr>`)}</tbody></table>
          </div>`}
      </section>`;
  }

  #fullness(store) {
    if (store.bytesMax === null) return nothing;
    const share = store.bytes / store.bytesMax;
    return html`<meter min="0" max="1" low="0.7" high="0.9" optimum="0" .value=${share} aria-label="How full it is">${f.percent(share)}</meter>
      <p class="hint">${f.percent(share)} of ${f.bytes(store.bytesMax)}</p>`;
  }

  #jobs(answer) {
    const tone = { OK: 'good', FAILED: 'bad' };
    return html`
      <section class="card">
        <h2>Jobs</h2>
        <div class="table-box" tabindex="0" role="region" aria-label="Jobs">
          <table><thead><tr><th scope="col">Job</th><th scope="col">Outcome</th><th scope="col">Last run</th><th scope="col" class="right">Took</th><th scope="col">Every</th><th scope="col">What it did</th></tr></thead>
            <tbody>${answer.jobs.map((job) => html`<tr><th scope="row"><code>${job.name}</code></th>
              <td>${job.lastRun ? html`<span class="tag ${tone[job.lastRun.outcome] ?? ''}">${job.lastRun.outcome.toLowerCase()}</span>` : '–'}</td>
              <td>${job.lastRun ? html`<span title=${f.dateTime(job.lastRun.startedAt)}>${f.ago(job.lastRun.startedAt)}</span>` : 'never'}</td>
              <td class="right number">${f.millis(job.lastRun?.durationMillis)}</td>
              <td>${duration(job.every)}</td><td class="detail muted">${job.lastRun?.detail ?? '–'}</td></tr>`)}</tbody></table>
        </div>
      </section>`;
  }

  #doubts(answer) {
    const doubts = answer.doubts ?? [];
    if (doubts.length === 0) return nothing;
    return html`
      <section class="card">
        <h2>Doubts</h2>
        <p class="hint">When a store may have forgotten counts.</p>
        <ul class="letters">${doubts.map((doubt) => html`<li><details>
          <summary><code>${doubt.cause}</code> <span class="muted">${f.dateTime(doubt.from)} – ${f.dateTime(doubt.to)}</span></summary>
          <p>${doubt.detail}</p></details></li>`)}</ul>
      </section>`;
  }
}

const SINKS = { mau: 'Active users', counts: 'Flags' };

const sinkOf = (hour, name) => hour.sinks.find((sink) => sink.sink === name);

/** What an event becomes that was delivered; together they are all that were. */
const SINK_PARTS = [
  ['counted', (sink) => sink?.counted ?? 0],
  ['repeats', (sink) => sink?.duplicates ?? 0],
  ['set aside', (sink, hour) => (sink?.setAside ?? 0) + hour.malformed],
  ['goals', (sink, hour) => Math.max(0, hour.delivered + hour.imported - hour.malformed - (sink?.offered ?? 0))],
  ['unexplained', (sink) => sink?.unexplained ?? 0],
];

const repeatedWords = (events) => `${f.count(events)} more delivered than acknowledged`;

/** What lies between the accepted and the delivered events of an hour, in words. */
function difference(hour) {
  const carried = hour.delivered - hour.accepted - hour.repeated + hour.underWay;
  return [
    hour.repeated > 0 && repeatedWords(hour.repeated),
    hour.underWay > 0 && `${f.count(hour.underWay)} not delivered yet`,
    carried > 0 && `${f.count(carried)} accepted the hour before`,
    carried < 0 && `${f.count(-carried)} delivered the hour after`,
  ].filter((text) => text);
}

/** What the hours say together: a tone and a sentence. */
function judgement(hours) {
  const bad = hours.filter((hour) => hour.verdict === 'DOES_NOT_ADD_UP').length;
  const repeated = hours.reduce((sum, hour) => sum + hour.repeated, 0);
  const more = repeated ? ` ${repeatedWords(repeated)} (the broker delivered again, or the sender was told to try again).` : '';
  if (bad) return ['bad', `${f.count(bad)} of ${f.count(hours.length)} hours do not add up. That is a fault of ours: please tell us.`];
  if (hours.some((hour) => hour.verdict === 'LOST_SIGHT')) {
    return ['unsure', `All adds up, but for hours in which a process ended without a last word.${more}`];
  }
  if (hours.length === 0) return ['good', 'Nothing has come in yet.'];
  if (hours.some((hour) => hour.underWay)) return ['good', `All adds up so far; some events are still under way.${more}`];
  return ['good', `Everything that came in is accounted for.${more}`];
}

/** Events by error code, most first. */
const reasons = (title, rows, none) => html`
  <section class="card">
    <h2>${title}</h2>
    ${rows.length === 0 ? empty('None', none) : html`
      <table><thead><tr><th scope="col">Reason</th><th scope="col" class="right">Events</th></tr></thead>
        <tbody>${[...rows].sort((a, b) => b.events - a.events).map(
          (row) => html`<tr><th scope="row"><code>${row.code}</code></th><td class="right number">${f.count(row.events)}</td></tr>`)}</tbody></table>`}
  </section>`;

/** PT1H as people say it. */
function duration(iso) {
  if (!iso) return 'on demand';
  const [, hours, minutes, seconds] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(iso) ?? [];
  const parts = [[hours, 'h'], [minutes, 'min'], [seconds, 's']].filter(([value]) => value);
  return parts.length ? parts.map(([value, unit]) => `${value} ${unit}`).join(' ') : iso;
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
