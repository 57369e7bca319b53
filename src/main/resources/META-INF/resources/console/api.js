// The way to the service: reads with the key of this session, and streams that come back by themselves.

const KEY = 'flagtally.key';

/** The API key; kept for as long as the tab is open, and never longer. */
export const session = {
  get key() {
    return sessionStorage.getItem(KEY);
  },
  signIn(key) {
    sessionStorage.setItem(KEY, key);
  },
  signOut() {
    sessionStorage.removeItem(KEY);
  },
};

/** A refusal or failure, in words for people. `status` is 0 if the service did not answer at all. */
export class ApiError extends Error {
  constructor(status, message, retryAfterSeconds = 0) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A path with its query; parameters that are null or empty are left out, lists are repeated. */
export function withQuery(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== '') query.append(name, each);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function failure(response) {
  let detail = '';
  try {
    const problem = await response.json();
    detail = problem.detail || problem.message || problem.title || '';
  } catch {
    // An answer without JSON says enough by its status.
  }
  const wait = Number(response.headers.get('retry-after')) || 0;
  return new ApiError(response.status, detail || `The service answered ${response.status}.`, wait);
}

/** Whoever has not answered within this time does not answer. */
const PATIENCE_MILLIS = 15_000;

/** The answer to one request with the key. Fails with an ApiError for every answer but a good one. */
export async function call(path, { method = 'GET', body, accept = 'application/json', as = 'json', key = session.key } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      body,
      signal: AbortSignal.timeout(PATIENCE_MILLIS),
      cache: 'no-store',
      headers: { authorization: key ?? '', accept, ...(body ? { 'content-type': 'application/json' } : {}) },
    });
    if (response.ok) return await response[as]();
  } catch {
    throw new ApiError(0, 'The service does not answer. Is it running?');
  }
  throw await failure(response);
}

export const read = (path, parameters) => call(withQuery(path, parameters));

/** Does something every so often while the page is looked at, never twice at a time. The answer is called to end it. */
export function every(millis, task) {
  let running = false;
  const turn = async () => {
    if (running || document.hidden) return;
    running = true;
    try {
      await task();
    } finally {
      running = false;
    }
  };
  const timer = setInterval(turn, millis);
  document.addEventListener('visibilitychange', turn);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', turn);
  };
}

/** Without a byte for this long a stream is taken for dead; the service sends a heartbeat every 15 s. */
const SILENCE_MILLIS = 40_000;
const PAUSE_FIRST_MILLIS = 400;
const PAUSE_MAX_MILLIS = 8_000;

/** A stream that is back within this time was never lost: every stream ends after an hour, as planned. */
const GRACE_MILLIS = 2_000;

/** A page that nobody has looked at for so long gives its connections back: a browser has six for all its tabs. */
const HIDDEN_MILLIS = 3_000;

/**
 * A stream of server-sent events, read with `fetch` so that it can carry the key. It comes back after a loss, and to a
 * page that is looked at again, with the id of the last event. It reports { state, detail, since, error }, where state is
 * 'connecting', 'live', 'stale' (the service cannot read its store), 'lost' or 'full' (it will try again) or 'refused'.
 */
export class LiveStream {
  #stopped = false;
  #abort = new AbortController();
  #lastId = null;
  #state = null;
  #loss = null;
  #hiding = null;
  #asleep = false;
  #pause = PAUSE_FIRST_MILLIS;
  #wake = () => {};

  constructor(path, parameters, { onEvent, onState }) {
    this.path = withQuery(path, parameters);
    this.onEvent = onEvent;
    this.onState = onState;
    this.looked = () => this.#look();
    document.addEventListener('visibilitychange', this.looked);
    this.#look();
    this.#run();
  }

  close() {
    this.#stopped = true;
    this.#lookNoMore();
    clearTimeout(this.#loss);
    this.#abort.abort();
    this.#wake();
  }

  #lookNoMore() {
    document.removeEventListener('visibilitychange', this.looked);
    clearTimeout(this.#hiding);
  }

  #look() {
    clearTimeout(this.#hiding);
    if (document.hidden) {
      this.#hiding = setTimeout(() => {
        this.#asleep = true;
        this.#abort.abort();
      }, HIDDEN_MILLIS);
    } else if (this.#asleep) {
      this.#asleep = false;
      this.#tell('connecting');
      this.#wake();
    }
  }

  async #run() {
    this.#tell('connecting');
    while (!this.#stopped) {
      if (this.#asleep) {
        await new Promise((wake) => (this.#wake = wake));
        continue;
      }
      try {
        await this.#readOnce();
        this.#lost('The stream ended.');
      } catch (e) {
        if (this.#stopped) return;
        if ([400, 401, 403, 404].includes(e.status)) {
          this.#lookNoMore();
          this.#tell('refused', e.message, e);
          return;
        }
        if (e.status === 429) {
          this.#tell('full', e.message);
          this.#pause = Math.max(this.#pause, e.retryAfterSeconds * 1000);
        } else if (!this.#asleep) {
          this.#lost(e.message);
        }
      }
      if (this.#asleep) continue;
      await new Promise((done) => setTimeout(done, this.#pause * (0.75 + Math.random() / 2)));
      this.#pause = Math.min(this.#pause * 2, PAUSE_MAX_MILLIS);
    }
  }

  #lost(detail) {
    if (this.#state === 'lost' || this.#loss) return;
    const since = Date.now();
    this.#loss = setTimeout(() => this.#tell('lost', detail, null, since), GRACE_MILLIS);
  }

  #tell(state, detail = '', error = null, since = Date.now()) {
    clearTimeout(this.#loss);
    this.#loss = null;
    if (this.#stopped || (state === this.#state && state !== 'full')) return;
    this.#state = state;
    this.onState({ state, detail, error, since });
  }

  async #readOnce() {
    this.#abort = new AbortController();
    let watchdog;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => this.#abort.abort(), SILENCE_MILLIS);
    };
    alive();
    try {
      const response = await fetch(this.path, {
        signal: this.#abort.signal,
        cache: 'no-store',
        headers: {
          authorization: session.key ?? '',
          accept: 'text/event-stream',
          ...(this.#lastId ? { 'last-event-id': this.#lastId } : {}),
        },
      });
      if (!response.ok) throw await failure(response);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        text += value.replaceAll('\r', '');
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#dispatch(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #dispatch(block) {
    let type = 'message';
    let id = null;
    const data = [];
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') type = value;
      else if (field === 'data') data.push(value);
      else if (field === 'id') id = value;
    }
    if (data.length === 0 || this.#stopped) return;
    // Only now: a stream that is opened may end before it has shown anything.
    this.#pause = PAUSE_FIRST_MILLIS;
    const said = JSON.parse(data.join('\n'));
    const stale = type === 'pulse' ? said.readable === false : this.#state === 'stale';
    this.#tell(stale ? 'stale' : 'live');
    this.onEvent(type, said);
    if (id) this.#lastId = id;
  }
}
