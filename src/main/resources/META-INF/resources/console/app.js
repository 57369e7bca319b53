// The shell of the console: sign-in, environment, navigation, and what is common to all views.
import { html, nothing, render } from './lib/lit-html.js';
import { every, read, session } from './api.js';
import * as f from './format.js';
import { named } from './parts.js';
import { Overview } from './views/overview.js';
import { Flag } from './views/flag.js';
import { ActiveUsers } from './views/active-users.js';
import { Pipeline } from './views/pipeline.js';
import { TestEvent } from './views/test-event.js';
import './chart.js';

const VIEWS = { overview: Overview, flags: Flag, users: ActiveUsers, pipeline: Pipeline, send: TestEvent };
const NAVIGATION = [
  ['overview', 'Overview'],
  ['users', 'Active users'],
  ['pipeline', 'Pipeline'],
  ['send', 'Test event'],
];
const FLAGS_SHOWN = 12;
const FLAGS_READ = 500;
const SEARCH_AFTER_MILLIS = 200;
const ENVIRONMENTS_MILLIS = 60_000;

/** States of streams, the one to be told first. */
const STATES = {
  refused: 'Not live',
  lost: 'Reconnecting',
  full: 'Not live',
  stale: 'Stale',
  connecting: 'Connecting',
  live: 'Live',
};

class App {
  constructor(root) {
    this.root = root;
    this.view = null;
    this.environments = null;
    this.environment = null;
    this.flags = new Map();
    this.names = new Map();
    this.search = { text: '', open: false, at: -1 };
    this.streams = new Map();
    this.signIn = { error: '', busy: false };
    this.scheduled = false;
  }

  /** Draws everything anew at the next frame. */
  update() {
    if (this.scheduled) return;
    this.scheduled = true;
    // A hidden page has no frames, and is to be right when it is looked at again.
    const frame = document.hidden ? (draw) => setTimeout(draw, 250) : requestAnimationFrame;
    frame(() => {
      this.scheduled = false;
      render(this.#page(), this.root);
      document.title = this.view && session.key ? `${this.view.title()} · Flagtally` : 'Flagtally';
    });
  }

  async start() {
    this.root.replaceChildren();
    addEventListener('hashchange', () => this.#route());
    addEventListener('keydown', (e) => this.#shortcut(e));
    addEventListener('flagtally-theme', () => this.update());
    every(ENVIRONMENTS_MILLIS, () => this.#readEnvironments());
    if (session.key) await this.#open();
    this.update();
  }

  /** New environments, flags and names appear by themselves. */
  async #readEnvironments() {
    if (!this.environments) return;
    try {
      const { environments } = await read('/v1/environments');
      if (!this.environments) return;
      this.environments = environments;
      await this.#readFlags('');
    } catch (e) {
      if (e.status === 401 || e.status === 403) this.signOut('The key is no longer accepted; sign in again.');
    }
    this.update();
  }

  /** A link to a place of the console; parameters that are null are left out. */
  link(path, parameters = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ environment: this.environment, ...parameters })) {
      if (value !== null && value !== undefined && value !== '') query.set(name, value);
    }
    return `#/${path}?${query}`;
  }

  flagLink(id, parameters) {
    return this.link(`flags/${encodeURIComponent(id)}`, parameters);
  }

  /** Changes parameters of the place that is shown, without a new entry in the history. */
  replace(parameters) {
    const { path, query } = place();
    const next = { ...Object.fromEntries(query), ...parameters };
    history.replaceState(null, '', this.link(path, next));
    this.#route();
  }

  /** The name of a flag, if people gave it one. */
  flagName(id) {
    return this.names.get(id)?.name ?? null;
  }

  /** Keeps the names that an answer had, for every view. */
  learn(featureId, name, variationNames) {
    this.names.set(featureId, { name, variationNames });
  }

  /** The names of a flag from the series of it. */
  learnSeries({ featureId, name, variations }) {
    this.learn(featureId, name, Object.fromEntries(variations.filter((each) => each.name).map((each) => [each.variationId, each.name])));
  }

  /** What a stream of the shown view says about itself, and what it brings. */
  streamIs(report, what) {
    this.streams.set(what, report);
    if (report.error) this.refused(report.error);
    this.update();
  }

  /** The stream that is worst off. */
  get live() {
    const order = Object.keys(STATES);
    return [...this.streams.values()].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0] ?? null;
  }

  /** True if what is shown may be older than it looks. */
  get stale() {
    return this.live?.state === 'lost' || this.live?.state === 'stale';
  }

  /** A read or stream that was refused: a key that is no longer good leads back to the sign-in. */
  async refused(error) {
    if ((error.status !== 401 && error.status !== 403) || this.asking) return;
    this.asking = true;
    try {
      await read('/v1/environments');
    } catch (e) {
      if (e.status === 401 || e.status === 403) this.signOut('The key is no longer accepted; sign in again.');
    } finally {
      this.asking = false;
    }
  }

  signOut(error = '') {
    session.signOut();
    this.view?.leave();
    this.view = null;
    this.environments = null;
    this.environment = null;
    this.streams.clear();
    this.signIn = { error, busy: false };
    this.update();
  }

  async #open() {
    try {
      const answer = await read('/v1/environments');
      f.useZone(answer.zone);
      this.environments = answer.environments;
      this.#route();
    } catch (e) {
      if (e.status === 401 || e.status === 403) session.signOut();
      this.signIn = {
        busy: false,
        error:
          e.status === 401 || e.status === 403
            ? 'This key may not read. Take one with the role READ_ONLY or ADMIN.'
            : e.message,
      };
    }
    this.update();
  }

  async #submitKey(e) {
    e.preventDefault();
    const key = new FormData(e.target).get('key').trim();
    if (!key || this.signIn.busy) return;
    this.signIn = { error: '', busy: true };
    this.update();
    session.signIn(key);
    await this.#open();
  }

  #route() {
    if (!this.environments) return;
    const { view, id, query } = place();
    const asked = query.get('environment');
    const environment = asked || this.environments[0]?.environmentId || 'default';
    if (environment !== this.environment) {
      this.environment = environment;
      this.flags = new Map();
      this.names = new Map();
      this.flagsMatching = null;
      this.#readFlags('');
    }
    const type = VIEWS[view] ?? Overview;
    const name = `${view}|${id}|${environment}`;
    if (this.view?.placeName === name) {
      this.view.change?.(query);
    } else {
      this.view?.leave();
      this.streams.clear();
      this.view = new type(this, id, query);
      this.view.placeName = name;
      this.view.enter();
      this.root.querySelector('main')?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    this.update();
  }

  /** Flags that have `q` in their name or id; all, as far as a page goes, if it is empty. */
  async #readFlags(q) {
    const environment = this.environment;
    try {
      const page = await read('/v1/flags', { environmentId: environment, limit: FLAGS_READ, q });
      if (environment !== this.environment) return;
      f.useZone(page.zone);
      page.flags.forEach((flag) => {
        this.flags.set(flag.featureId, flag);
        this.learn(flag.featureId, flag.name, flag.variationNames);
      });
      if (!q) this.flagsMatching = page.matching;
    } catch (e) {
      this.refused(e);
    }
    if (this.search.text.trim() === q) this.search = { ...this.search, answered: true };
    this.update();
  }

  // ---- search ------------------------------------------------------------------------------------------------------

  get #found() {
    const text = this.search.text.trim().toLowerCase();
    const rank = (flag) => (flag.name ?? '').toLowerCase().startsWith(text) || flag.featureId.toLowerCase().startsWith(text);
    return [...this.flags.values()]
      .filter((flag) => `${flag.name ?? ''} ${flag.featureId}`.toLowerCase().includes(text))
      .sort((a, b) => rank(b) - rank(a) || b.today.events - a.today.events)
      .slice(0, FLAGS_SHOWN);
  }

  /** What is known is shown at once, and the service is asked for what is not. */
  #type(text) {
    this.search = { text, open: true, at: -1, answered: false };
    clearTimeout(this.searching);
    const q = text.trim();
    if (q) this.searching = setTimeout(() => this.#readFlags(q), SEARCH_AFTER_MILLIS);
    this.update();
  }

  #searchKey(e) {
    const found = this.#found;
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      const step = e.key === 'ArrowDown' ? 1 : -1;
      this.search = { ...this.search, open: true, at: (this.search.at + step + found.length + 1) % (found.length + 1) };
      if (this.search.at === found.length) this.search.at = step > 0 ? 0 : found.length - 1;
    } else if (e.key === 'Enter' && found.length > 0) {
      this.#choose(found[Math.max(0, this.search.at)]);
      e.target.blur();
    } else if (e.key === 'Escape') {
      this.search = { text: '', open: false, at: -1 };
      e.target.blur();
    }
    this.update();
  }

  #choose(flag) {
    this.search = { text: '', open: false, at: -1 };
    location.hash = this.flagLink(flag.featureId);
    this.update();
  }

  #shortcut(e) {
    if (e.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) {
      e.preventDefault();
      this.root.querySelector('#search')?.focus();
    }
  }

  // ---- theme -------------------------------------------------------------------------------------------------------

  get #dark() {
    return document.documentElement.dataset.theme === 'dark';
  }

  #switchTheme() {
    const next = this.#dark ? 'light' : 'dark';
    localStorage.setItem('flagtally.theme', next);
    document.documentElement.dataset.theme = next;
    dispatchEvent(new Event('flagtally-theme'));
  }

  // ---- page --------------------------------------------------------------------------------------------------------

  #page() {
    if (!session.key || !this.environments) return this.#signInPage();
    return html`
      <a class="skip" href="#content" @click=${(e) => this.#skip(e)}>Skip to the content</a>
      <header class="top">
        <a class="brand" href=${this.link('overview')}><img src="/console/icon.svg" alt="" width="28" height="28">Flagtally</a>
        ${this.#searchBox()}
        <div class="tools">
          ${this.#environmentChoice()} ${this.#status()}
          <button type="button" class="icon" @click=${() => this.#switchTheme()}
            aria-label=${this.#dark ? 'Light colours' : 'Dark colours'} title=${this.#dark ? 'Light colours' : 'Dark colours'}
            >${this.#dark ? '☀' : '☾'}</button>
          <button type="button" class="quiet" @click=${() => this.signOut()}>Sign out</button>
        </div>
        <nav aria-label="Views">
          ${NAVIGATION.map(
            ([path, text]) => html`<a href=${this.link(path)} data-text=${text} aria-current=${this.#current(path)}>${text}</a>`,
          )}
        </nav>
      </header>
      <main id="content" tabindex="-1" class=${this.stale ? 'stale' : ''}>${this.view?.render() ?? nothing}</main>
      <footer>
        <span>Days and times in the zone <strong>${f.zoneName()}</strong>, which this installation counts in.</span>
        <span><a href="/swagger-ui/">API</a></span>
      </footer>
      ${this.#note()}`;
  }

  /** A flag is reached from the overview, and stands below it. */
  #current(path) {
    const { view } = place();
    return view === path ? 'page' : view === 'flags' && path === 'overview' ? 'true' : nothing;
  }

  #skip(e) {
    e.preventDefault();
    this.root.querySelector('main').focus();
  }

  #searchBox() {
    const found = this.search.open ? this.#found : [];
    return html`
      <div class="search">
        <input id="search" type="search" role="combobox" placeholder="Find a flag by name or id" autocomplete="off"
          aria-label="Find a flag by name or id" aria-expanded=${found.length > 0} aria-controls="found"
          aria-activedescendant=${this.search.at >= 0 ? `found-${this.search.at}` : nothing}
          aria-autocomplete="list" .value=${this.search.text} @input=${(e) => this.#type(e.target.value)}
          @focus=${() => this.#type(this.search.text)} @keydown=${(e) => this.#searchKey(e)}
          @blur=${() => { this.search = { ...this.search, open: false }; this.update(); }}>
        <kbd aria-hidden="true">/</kbd>
        <ul id="found" role="listbox" aria-label="Flags found" ?hidden=${!this.search.open || (found.length === 0 && !this.search.text)}>
          ${found.map(
            (flag, i) => html`<li id="found-${i}" role="option" aria-selected=${i === this.search.at}
              @mousedown=${(e) => { e.preventDefault(); this.#choose(flag); }}>
              ${named(flag.name, flag.featureId)}<span class="number">${f.compact(flag.today.events)}</span></li>`,
          )}
          ${found.length === 0 && this.search.text ? html`<li role="option" aria-selected="false" aria-disabled="true" class="none">${
            this.search.answered ? 'No flag has this in its name or id' : 'Searching…'}</li>` : nothing}
        </ul>
      </div>`;
  }

  #environmentChoice() {
    const known = this.environments.map((each) => [each.environmentId, each.name ?? each.environmentId]);
    if (!known.some(([id]) => id === this.environment)) known.push([this.environment, this.environment]);
    if (known.length === 1) return html`<span class="environment" title=${`The environment of this key: ${known[0][1]}`}>${known[0][1]}</span>`;
    return html`<select aria-label="Environment" @change=${(e) => this.#changeEnvironment(e.target.value)}>
      ${known.map(([id, name]) => html`<option value=${id} .selected=${id === this.environment}>${name}</option>`)}
    </select>`;
  }

  #changeEnvironment(environment) {
    const { view, path } = place();
    location.hash = this.link(view === 'flags' ? 'overview' : path, { environment });
  }

  #status() {
    const live = this.live;
    return html`<span class="status ${live?.state ?? ''}" role="status" title=${live?.detail || nothing}
      >${live ? html`<span class="dot"></span><span class="word">${STATES[live.state]}</span>` : nothing}</span>`;
  }

  /** Lies over the page, so that nothing moves when it comes and goes. */
  #note() {
    const text = this.#noteText();
    return text ? html`<div class="note warning over" role="alert">${text}</div>` : nothing;
  }

  #noteText() {
    const live = this.live;
    if (live?.state === 'lost') {
      return html`The live stream is lost since ${f.time(live.since / 1000)}. What you see is from then; the console comes
        back by itself.`;
    }
    if (live?.state === 'stale') {
      const told = [...this.streams].filter(([, { state }]) => state === 'stale');
      const current = [...this.streams].filter(([, { state }]) => state === 'live').map(([what]) => what);
      return html`${told.map(([what, { since }]) => html`${what} cannot be read just now: what you see of them is from before
        ${f.time(since / 1000)}. `)}${current.length ? html`${current.join(', ')} are current.` : nothing}`;
    }
    if (live?.state === 'full') return html`No live numbers: ${live.detail} The console tries again.`;
    return live?.state === 'refused' ? html`No live numbers: ${live.detail}` : null;
  }

  #signInPage() {
    return html`
      <main class="sign-in">
        <form @submit=${(e) => this.#submitKey(e)}>
          <img src="/console/icon.svg" alt="" width="48" height="48">
          <h1>Flagtally</h1>
          <p class="muted">How often each variation of your flags was served, and to how many users.</p>
          <label for="key">API key</label>
          <input id="key" name="key" type="password" autocomplete="off" autofocus required
            aria-describedby="key-hint" aria-invalid=${this.signIn.error ? 'true' : 'false'}>
          <p id="key-hint" class="hint">A key that may read (READ_ONLY or ADMIN). It stays in this tab and is forgotten with it.
            The service prints its key when it starts without configuration.</p>
          ${this.signIn.error ? html`<p class="problem" role="alert">${this.signIn.error}</p>` : nothing}
          <button type="submit" class="primary" ?disabled=${this.signIn.busy}>${this.signIn.busy ? 'Signing in…' : 'Sign in'}</button>
        </form>
      </main>`;
  }
}

/** Where the address points: #/flags/checkout?environment=demo&range=7d. */
function place() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, id] = path.split('/');
  return { path: path || 'overview', view: view || 'overview', id: id ? decoded(id) : null, query: new URLSearchParams(query) };
}

/** An id that a person typed may hold a percent sign that means itself. */
function decoded(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

new App(document.getElementById('app')).start();
