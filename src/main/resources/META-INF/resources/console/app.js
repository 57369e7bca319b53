// The shell of the console: sign-in, environment, navigation, and what is common to all views.
import { html, nothing, render } from './lib/lit-html.js';
import { read, session } from './api.js';
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
  ['send', 'Send a test event'],
];
const FLAGS_SHOWN = 12;

class App {
  constructor(root) {
    this.root = root;
    this.view = null;
    this.environments = null;
    this.environment = null;
    this.flags = [];
    this.search = { text: '', open: false, at: -1 };
    this.live = null;
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
    });
  }

  async start() {
    this.root.replaceChildren();
    addEventListener('hashchange', () => this.#route());
    addEventListener('keydown', (e) => this.#shortcut(e));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#themeChanged());
    if (session.key) await this.#open();
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
    return this.flags.find((flag) => flag.featureId === id)?.name ?? null;
  }

  variationName(flag, id) {
    return this.flags.find((each) => each.featureId === flag)?.variationNames?.[id] ?? null;
  }

  /** What a stream of the shown view says about itself. */
  streamIs(state, detail) {
    const since = this.live?.state === state ? this.live.since : Date.now();
    this.live = { state, detail, since };
    this.update();
  }

  /** True if what is shown may be older than it looks. */
  get stale() {
    return this.live?.state === 'lost';
  }

  /** A read that failed: a key that is no longer good leads back to the sign-in. */
  refused(error) {
    if (error.status === 401 || (error.status === 403 && /key|invalid/i.test(error.message) && !this.environments)) {
      this.signOut('The key is no longer accepted; sign in again.');
    }
  }

  signOut(error = '') {
    session.signOut();
    this.view?.leave();
    this.view = null;
    this.environments = null;
    this.environment = null;
    this.live = null;
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
      this.flags = [];
      this.#readFlags();
    }
    const type = VIEWS[view] ?? Overview;
    const name = `${view}|${id}|${environment}`;
    if (this.view?.placeName === name) {
      this.view.change?.(query);
    } else {
      this.view?.leave();
      this.live = null;
      this.view = new type(this, id, query);
      this.view.placeName = name;
      this.view.enter();
      document.title = `${this.view.title()} · Flagtally`;
      this.root.querySelector('main')?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    this.update();
  }

  /** All flags of the environment as far as a page goes: names for every view, and what the search finds at once. */
  async #readFlags(q = '') {
    const environment = this.environment;
    try {
      const page = await read('/v1/flags', { environmentId: environment, limit: 500, q });
      if (environment !== this.environment) return;
      f.useZone(page.zone);
      const known = new Map(this.flags.map((flag) => [flag.featureId, flag]));
      page.flags.forEach((flag) => known.set(flag.featureId, flag));
      this.flags = [...known.values()];
      this.flagsMatching = page.matching;
    } catch (e) {
      this.refused(e);
    }
    this.update();
  }

  // ---- search ------------------------------------------------------------------------------------------------------

  get #found() {
    const text = this.search.text.trim().toLowerCase();
    const rank = (flag) => (flag.name ?? '').toLowerCase().startsWith(text) || flag.featureId.toLowerCase().startsWith(text);
    return this.flags
      .filter((flag) => `${flag.name ?? ''} ${flag.featureId}`.toLowerCase().includes(text))
      .sort((a, b) => rank(b) - rank(a) || b.today.events - a.today.events)
      .slice(0, FLAGS_SHOWN);
  }

  #type(text) {
    this.search = { text, open: true, at: -1 };
    clearTimeout(this.searching);
    if (text && this.#found.length === 0) this.searching = setTimeout(() => this.#readFlags(text), 200);
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
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  }

  #switchTheme() {
    const next = this.#dark ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    localStorage.setItem('flagtally.theme', next);
    this.#themeChanged();
  }

  #themeChanged() {
    dispatchEvent(new Event('flagtally-theme'));
    this.update();
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
            ([path, text]) => html`<a href=${this.link(path)} data-text=${text} aria-current=${place().view === path ? 'page' : nothing}>${text}</a>`,
          )}
        </nav>
      </header>
      ${this.#staleNote()}
      <main id="content" tabindex="-1" class=${this.stale ? 'stale' : ''}>${this.view?.render() ?? nothing}</main>
      <footer>
        <span>Days and times in the zone <strong>${f.zoneName()}</strong>, which this installation counts in.</span>
        <span><a href="/swagger-ui/">API</a></span>
      </footer>`;
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
          ${found.length === 0 && this.search.text ? html`<li role="option" aria-selected="false" aria-disabled="true" class="none">No flag has this in its name or id</li>` : nothing}
        </ul>
      </div>`;
  }

  #environmentChoice() {
    const known = this.environments.map((each) => [each.environmentId, each.name ?? each.environmentId]);
    if (!known.some(([id]) => id === this.environment)) known.push([this.environment, this.environment]);
    if (known.length === 1) return html`<span class="environment" title="The environment of this key">${known[0][1]}</span>`;
    return html`<select aria-label="Environment" @change=${(e) => this.#changeEnvironment(e.target.value)}>
      ${known.map(([id, name]) => html`<option value=${id} ?selected=${id === this.environment}>${name}</option>`)}
    </select>`;
  }

  #changeEnvironment(environment) {
    const { view, path } = place();
    location.hash = this.link(view === 'flags' ? 'overview' : path, { environment });
  }

  #status() {
    const words = { live: 'Live', lost: 'Reconnecting', connecting: 'Connecting', refused: 'Not live' };
    const state = this.live?.state;
    return html`<span class="status ${state ?? ''}" role="status" title=${this.live?.detail || nothing}
      >${state ? html`<span class="dot"></span><span class="word">${words[state]}</span>` : nothing}</span>`;
  }

  #staleNote() {
    if (this.live?.state === 'lost') {
      return html`<div class="note warning" role="alert">The live stream is lost since ${f.time(this.live.since / 1000)}. What
        you see is from then; the console comes back by itself.</div>`;
    }
    if (this.live?.state === 'refused') {
      return html`<div class="note warning" role="alert">No live numbers: ${this.live.detail}</div>`;
    }
    return nothing;
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
  return { path: path || 'overview', view: view || 'overview', id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(query) };
}

new App(document.getElementById('app')).start();
