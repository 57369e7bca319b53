// Sends one event through the door, and shows that the count moves.
import { html, nothing } from '../lib/lit-html.js';
import { call, LiveStream, session } from '../api.js';
import * as f from '../format.js';

const SOURCES = ['JAVASCRIPT', 'WEB', 'REACT', 'ANDROID', 'IOS', 'FLUTTER', 'GO_SERVER', 'NODE_SERVER'];
const TYPE = 'type.googleapis.com/bucketeer.event.client.EvaluationEvent';
const WATCH_AFTER_MILLIS = 400;
const MOVES_WITHIN_MILLIS = 3_000;

export class TestEvent {
  constructor(app) {
    this.app = app;
    this.form = { featureId: 'my-first-flag', variationId: 'on', userId: 'anna', source: 'JAVASCRIPT', key: '' };
    this.counts = null;
    this.sent = null;
  }

  title() {
    return 'Send a test event';
  }

  enter() {
    this.#watch();
  }

  leave() {
    clearTimeout(this.watching);
    clearTimeout(this.moving);
    this.stream?.close();
  }

  #watch() {
    this.stream?.close();
    this.counts = null;
    if (!this.form.featureId) return;
    const { featureId } = this.form;
    this.stream = new LiveStream('/v1/live/evaluation_counts', { environmentId: this.app.environment, featureId }, {
      onEvent: (type, data) => {
        const flag = type === 'pulse' ? null : data.flags.find((each) => each.featureId === featureId);
        if (flag) this.counts = new Map(flag.variations.map((each) => [each.variationId, each]));
        if (flag && this.sent?.still && this.#moved) this.sent = { ...this.sent, still: false };
        this.app.update();
      },
      onState: (report) => this.app.streamIs(report, 'Counts of flags'),
    });
  }

  #set(name, value) {
    this.form = { ...this.form, [name]: value };
    if (name === 'featureId') {
      clearTimeout(this.watching);
      this.watching = setTimeout(() => this.#watch(), WATCH_AFTER_MILLIS);
    }
    this.app.update();
  }

  #event() {
    const { featureId, variationId, userId } = this.form;
    const timestamp = Math.floor(Date.now() / 1000);
    return { '@type': TYPE, timestamp, featureId, variationId, userId, reason: { type: 'RULE' } };
  }

  async #send(e) {
    e.preventDefault();
    const id = uuid();
    const body = JSON.stringify({ events: [{ id, event: this.#event() }], sourceId: this.form.source, sdkVersion: 'console' });
    const key = this.form.key || session.key;
    const { featureId, variationId } = this.form;
    const before = this.counts ? this.#events : null;
    this.sent = { busy: true };
    this.app.update();
    const started = performance.now();
    try {
      const answer = await call('/register_events', { method: 'POST', body, key });
      const fault = answer.errors?.[id];
      this.sent = fault
        ? { error: `The event was refused: ${fault.message}.` }
        : { id, millis: performance.now() - started, again: body, key, featureId, variationId, before };
      if (!fault) this.#watchForMove(this.sent);
    } catch (error) {
      const hint = error.status === 403 ? ' Your key may not send; give one with the role SDK_CLIENT or SDK_SERVER below.' : '';
      this.sent = { error: error.message + hint, wantsKey: error.status === 403 };
    }
    this.app.update();
  }

  /** Events of the variation today, as the stream says. */
  get #events() {
    return this.counts?.get(this.form.variationId)?.events ?? 0;
  }

  /** By how much the count of what was sent has grown since; null where that is not known. */
  get #moved() {
    const { before, featureId, variationId } = this.sent;
    const known = this.counts && before !== null && featureId === this.form.featureId && variationId === this.form.variationId;
    return known ? this.#events - before : null;
  }

  /** A key counts into its own environment, which need not be the one that is shown; and a broker may be behind. */
  #watchForMove(sent) {
    clearTimeout(this.moving);
    this.moving = setTimeout(() => {
      if (this.sent?.id !== sent.id || this.app.live?.state !== 'live' || this.#moved !== 0) return;
      this.sent = { ...this.sent, still: true };
      this.app.update();
    }, MOVES_WITHIN_MILLIS);
  }

  /** The very same request once more: it is acknowledged, and not counted again unless deduplication is off. */
  async #repeat() {
    try {
      await call('/register_events', { method: 'POST', body: this.sent.again, key: this.sent.key });
      this.sent = { ...this.sent, repeats: (this.sent.repeats ?? 0) + 1 };
    } catch (error) {
      this.sent = { error: error.message };
    }
    this.app.update();
  }

  get #curl() {
    const event = { ...this.#event(), timestamp: 0 };
    const quoted = (text) => text.replaceAll("'", "'\\''");
    const json = JSON.stringify({ events: [{ id: 'ID', event }], sourceId: this.form.source, sdkVersion: 'curl' }, null, 2);
    const body = quoted(json).replace('"ID"', `"'$(uuidgen)'"`).replace('"timestamp": 0', `"timestamp": '$(date +%s)'`);
    return `curl ${location.origin}/register_events \\\n  -H "authorization: $KEY" \\\n  -d '${body}'`;
  }

  render() {
    const today = this.counts?.get(this.form.variationId);
    const known = this.counts ? 0 : null;
    return html`
      <h1>Send a test event</h1>
      <p class="lead">One evaluation, through the same door that SDKs use. The numbers move when it is counted.</p>
      <div class="test">
        <form class="card fields" @submit=${(e) => this.#send(e)}>
          ${this.#field('featureId', 'Flag id', 'test-flags', [...this.app.flags.keys()])}
          ${this.#field('variationId', 'Variation id', 'test-variations',
            this.app.flags.get(this.form.featureId)?.variationIds ?? [])}
          ${this.#field('userId', 'User id')}
          <label>SDK
            <select @change=${(e) => this.#set('source', e.target.value)}>
              ${SOURCES.map((source) => html`<option value=${source} .selected=${source === this.form.source}>${f.source(source)}</option>`)}
            </select></label>
          ${this.sent?.wantsKey || this.form.key ? html`<label>Key of an SDK
            <input type="password" autocomplete="off" .value=${this.form.key} @input=${(e) => this.#set('key', e.target.value)}></label>` : nothing}
          <div class="send">
            <button type="submit" class="primary" ?disabled=${this.sent?.busy}>Send</button>
            <div role="status">${this.#outcome()}</div>
          </div>
        </form>
        <section class="card moving">
          <h2>${this.form.featureId || 'No flag'} today</h2>
          ${this.counts && !today?.events ? html`<p class="hint">Nothing was counted yet: send one, and see.</p>` : nothing}
          <dl class="figures">
            <div class="figure"><dt>Events of ${this.form.variationId || '–'}</dt><dd><span class="value" id="moving">${f.count(today?.events ?? known)}</span></dd></div>
            <div class="figure"><dt>Unique users of it</dt><dd><span class="value">${f.approximately(today?.uniques.count ?? known)}</span></dd></div>
          </dl>
          <p><a href=${this.app.flagLink(this.form.featureId)}>Open the flag</a></p>
        </section>
      </div>
      <section class="card">
        <div class="card-head"><h2>The same from a shell</h2><button type="button" @click=${() => this.#copy()}>${this.copied ? 'Copied' : 'Copy'}</button></div>
        <pre class="lines" tabindex="0" aria-label="The matching curl line">${this.#curl}</pre>
        <p class="hint">With <code>KEY</code> set to an API key that may send. An environment is not named in it: it is the key's.</p>
      </section>`;
  }

  #field(name, label, list, options = []) {
    return html`<label>${label}
      <input required maxlength="255" autocomplete="off" list=${list ?? nothing} .value=${this.form[name]}
        @input=${(e) => this.#set(name, e.target.value)}>
      ${list ? html`<datalist id=${list}>${options.map((option) => html`<option value=${option}></option>`)}</datalist>` : nothing}</label>`;
  }

  #outcome() {
    const sent = this.sent;
    if (!sent || sent.busy) return sent?.busy ? 'Sending…' : nothing;
    if (sent.error) return html`<p class="problem" role="alert">${sent.error}</p>`;
    const moved = this.#moved;
    return html`<p class="done">Acknowledged after ${f.millis(sent.millis)}: it is safe.
      ${sent.repeats ? html`Sent again ${f.count(sent.repeats)}×.` : nothing}
      ${moved > 0 ? html`The count has moved by ${f.count(moved)}.` : nothing}</p>
      ${sent.still ? html`<p class="problem" role="alert">Nothing moves in the environment ${this.app.environment}: the key
        that sent it may belong to another, or the event still waits.</p>` : nothing}
      <button type="button" @click=${() => this.#repeat()}>Send the very same again</button>`;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#curl);
      this.copied = true;
      setTimeout(() => {
        this.copied = false;
        this.app.update();
      }, 2000);
    } catch {
      getSelection().selectAllChildren(document.querySelector('pre'));
    }
    this.app.update();
  }
}

/** A random UUID; crypto.randomUUID is not there on plain HTTP from another machine. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}
