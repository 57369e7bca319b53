// Numbers in the reader's locale, times in the zone of the installation.

let zone = 'UTC';
const formats = new Map();

export function useZone(name) {
  if (name && name !== zone) {
    zone = name;
    formats.clear();
  }
}

export const zoneName = () => zone;

function numbers(options) {
  const name = JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.NumberFormat(undefined, options));
  return formats.get(name);
}

function times(options) {
  const name = `t${JSON.stringify(options)}`;
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(undefined, { timeZone: zone, ...options }));
  return formats.get(name);
}

const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export const count = (value) => (missing(value) ? '–' : numbers({ maximumFractionDigits: 0 }).format(value));
export const compact = (value) =>
  missing(value) ? '–' : numbers({ notation: 'compact', maximumFractionDigits: 1 }).format(value);
export const percent = (value) =>
  missing(value) ? '–' : numbers({ style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
export const wholePercent = (value) => numbers({ style: 'percent', maximumFractionDigits: 0 }).format(value);

/** A rate: one digit behind the point while it is small. */
export const rate = (value) =>
  missing(value)
    ? '–'
    : numbers({ minimumFractionDigits: value < 100 ? 1 : 0, maximumFractionDigits: value < 100 ? 1 : 0 }).format(value);

/** An estimate; an empty set is known to be empty. */
export const approximately = (value) => (missing(value) ? '–' : value === 0 ? '0' : `≈ ${count(value)}`);

export function bytes(value) {
  if (missing(value)) return '–';
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const step = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const shown = value / 1000 ** step;
  return numbers({
    style: 'unit',
    unit: units[step],
    unitDisplay: 'short',
    maximumFractionDigits: shown < 10 && step > 0 ? 1 : 0,
  }).format(shown);
}

export const millis = (value) =>
  missing(value)
    ? '–'
    : value >= 10_000
      ? `${rate(value / 1000)} s`
      : `${numbers({ maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ms`;

const instant = (value) => (value instanceof Date ? value : new Date(typeof value === 'number' ? value * 1000 : value));

export const time = (value) =>
  missing(value) ? '–' : times({ hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(instant(value));
export const hour = (value) => times({ hour: '2-digit', minute: '2-digit' }).format(instant(value));
export const day = (value) => times({ weekday: 'short', day: 'numeric', month: 'short' }).format(instant(value));
export const shortDay = (value) => times({ day: 'numeric', month: 'short' }).format(instant(value));
export const dateTime = (value) =>
  missing(value)
    ? '–'
    : times({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(
        instant(value),
      );

/** A local date such as 2026-11-21 has no zone left to apply. */
export function localDate(text, options = { day: 'numeric', month: 'short' }) {
  return new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', ...options }).format(new Date(`${text}T00:00:00Z`));
}

export const month = (text) => localDate(`${text.slice(0, 7)}-01`, { month: 'long', year: 'numeric' });

/** Today in the zone of the installation, as 2026-11-21. */
export function today(now = new Date()) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
      .formatToParts(now)
      .map((part) => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}`;
}

export function plusDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

const SOURCES = { ANDROID: 'Android', IOS: 'iOS', WEB: 'Web', JAVASCRIPT: 'JavaScript', UNKNOWN: 'Unknown' };

/** An SDK as people write it. */
export const source = (id) =>
  SOURCES[id] ??
  id
    .replace('OPEN_FEATURE', 'OpenFeature')
    .split('_')
    .map((word) => (word === 'OpenFeature' ? word : word === 'JAVASCRIPT' ? 'JavaScript' : word[0] + word.slice(1).toLowerCase()))
    .join(' ');

/** How long ago, in words. */
export function ago(value, now = Date.now()) {
  if (missing(value)) return 'never';
  const seconds = Math.round((instant(value).getTime() - now) / 1000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
  if (Math.abs(seconds) < 60) return words.format(seconds, 'second');
  if (Math.abs(seconds) < 3600) return words.format(Math.round(seconds / 60), 'minute');
  if (Math.abs(seconds) < 86_400) return words.format(Math.round(seconds / 3600), 'hour');
  return words.format(Math.round(seconds / 86_400), 'day');
}

const csvCell = (value) => {
  const text = value === null || value === undefined ? '' : String(value);
  // A spreadsheet runs what begins like a formula; ids come from outside.
  const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Rows as CSV (RFC 4180). */
export const csv = (rows) => rows.map((row) => row.map(csvCell).join(',')).join('\r\n') + '\r\n';

export function download(name, blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
