// Small parts that several views show.
import { html, nothing } from './lib/lit-html.js';
import * as f from './format.js';

/** A name with its id below; the id alone if there is no name. */
export const named = (name, id) =>
  name && name !== id
    ? html`<span class="named"><span class="name">${name}</span> <span class="id">${id}</span></span>`
    : html`<span class="named"><span class="name plain">${id}</span></span>`;

export const loading = (what) => html`<div class="state" role="status"><span class="spinner"></span>${what}</div>`;

export const empty = (title, text) => html`<div class="state empty"><strong>${title}</strong><span>${text}</span></div>`;

export const failed = (error, retry) => html`
  <div class="state error" role="alert">
    <strong>That did not work</strong><span>${error.message}</span>
    ${retry ? html`<button type="button" @click=${retry}>Try again</button>` : nothing}
  </div>`;

/** What is shown could not be read again, now for the first time. */
export const unreadSince = (error) => ({ message: error.message, since: Date.now() / 1000 });

/** Says of what is shown how old it is, if it could not be read again. */
export const stands = (unread) =>
  unread ? html`<p class="hint problem">From before ${f.time(unread.since)}: ${unread.message}</p>` : nothing;

/** A number with what it means; `hint` may say more below. */
export const figure = (label, value, hint = nothing) => html`
  <div class="figure"><dt>${label}</dt><dd><span class="value">${value}</span><span class="hint">${hint}</span></dd></div>`;

/** One choice of several, as buttons. */
export const choice = (label, options, chosen, choose) => html`
  <div class="choice" role="group" aria-label=${label}>
    ${options.map(
      ([value, text]) => html`<button type="button" data-text=${text} aria-pressed=${value === chosen} @click=${() => choose(value)}>${text}</button>`,
    )}
  </div>`;

/** How far an estimate may be off. */
export const uniques = (estimate) =>
  !estimate || estimate.count === 0
    ? html`<span class="number">${estimate ? '0' : '–'}</span>`
    : html`<span class="number" title="Estimated, standard error ±0.8 % (± ${f.count(Math.ceil(estimate.standardError))})"
        >${f.approximately(estimate.count)}</span>`;

export const aboutUniques = html`
  <details class="about">
    <summary>Why ≈ and ±0.8 %?</summary>
    <p>Event counts are exact. The users of a variation are <em>estimated</em> with a HyperLogLog sketch, which keeps no
      list of users: in two of three cases the true number lies within ±0.8 % of what is shown, in 99.7 % within ±2.4 %.
      Small numbers are nearly always exact. A user who came on two days counts once in the range, so days do not add up to
      it; nor do variations, since a user may meet two of them.</p>
  </details>`;

export const download = (name, content, type) => f.download(name, new Blob([content], { type }));
