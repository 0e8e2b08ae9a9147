import { stringify } from 'csv-stringify/sync';
import { html } from 'hono/html';
import type { Adoption, AdoptionPeriod, Count, Span } from '../accounts/figures.ts';
import * as c from '../web/components.ts';
import { barChart } from './chart.ts';

/** How many periods the chart shows. */
export const PERIODS = 12;

// A date belongs to no time zone: read and told in UTC, it stays the day that it is.
const inUtc = (shape: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-GB', { ...shape, timeZone: 'UTC' });
const DAY = inUtc({ day: 'numeric', month: 'long', year: 'numeric' });
const MONTH = inUtc({ month: 'long', year: 'numeric' });
const SHORT_DAY = inUtc({ day: 'numeric', month: 'short' });
const SHORT_MONTH = inUtc({ month: 'short' });

/** What the overview says first: how far MFA has come, and since last month. */
export function finding(now: Adoption, before: Adoption | undefined): string {
  const { on, none } = now;
  if (on + none === 0) return 'None of your customers has portal access.';
  if (on === 0)
    return `None of your customers uses MFA${before && before.on > 0 ? ` any more${since(now, before)}` : ' yet'}.`;
  const who = none === 0 ? 'All' : capital(share(now));
  return `${who} of your customers use MFA${since(now, before)}.`;
}

function since(now: Adoption, before: Adoption | undefined): string {
  if (!before || before.on + before.none === 0) return '';
  const then = share(before);
  if (then === share(now)) return ', as last month';
  return `, ${ratio(now) > ratio(before) ? 'up' : 'down'} from ${then} last month`;
}

/** Adoption over time: the finding, the chart, the same as a table and as a file. */
export function adoptionSection(span: Span, periods: readonly AdoptionPeriod[]): c.Html {
  const title = trend(span, periods);
  return c.section(
    title,
    html`<nav class="spans" aria-label="Period">${spanLink('weeks', span)} ${spanLink('months', span)}</nav>
      ${barChart({
        id: 'adoption',
        title,
        description: periods.map((period) => `${name(period, span)}: ${told(period.count)}`).join('. '),
        legend: ['MFA on', 'Not set up'],
        bars: periods.map((period) => ({ label: shortName(period, span), ...bar(period.count) })),
      })}
      <p class="hint">Contacts with portal access, and above each bar the share of them who use MFA, in per cent.</p>
      ${c.disclosure('Show as a table', table(span, periods))}
      <p><a href="/admin/overview/adoption.csv?span=${span}">Download CSV</a></p>`,
  );
}

/** The rows of the chart as CSV. Spreadsheets take no cell of it for a formula. */
export function adoptionCsv(periods: readonly AdoptionPeriod[]): string {
  const rows = periods.map(({ from, to, count }) => [from, to, count?.on, count?.none, count && percent(count)]);
  const columns = ['from', 'to', 'mfa_on', 'not_set_up', 'share_percent'];
  return stringify([columns, ...rows], { escape_formulas: true, record_delimiter: 'windows' });
}

export function adoptionFile(span: Span): string {
  return `mfa-adoption-${PERIODS}-${span}.csv`;
}

function spanLink(span: Span, current: Span): c.Html {
  return html`<a href="/admin?span=${span}" ${c.attr('aria-current', span === current && 'true')}
    >${PERIODS} ${span}</a
  >`;
}

function trend(span: Span, periods: readonly AdoptionPeriod[]): string {
  const counted = periods.filter(({ count }) => count && count.on + count.none > 0);
  const [first, last] = [counted[0], counted.at(-1)];
  if (!first?.count || !last?.count) return 'Nobody has been counted yet';
  if (first === last)
    return `${capital(share(last.count))} of contacts use MFA; there is nothing yet to compare it with`;
  const when = first === periods[0] ? `In ${PERIODS} ${span}` : `Since ${DAY.format(Date.parse(first.from))}`;
  const [before, now] = [share(first.count), share(last.count)];
  if (before === now) return `${when} the share of contacts who use MFA stayed at ${now}`;
  const went = ratio(last.count) > ratio(first.count) ? 'rose' : 'fell';
  return `${when} the share of contacts who use MFA ${went} from ${before} to ${now}`;
}

function table(span: Span, periods: readonly AdoptionPeriod[]): c.Html {
  return c.dataTable({
    id: 'adoption-table',
    caption: 'Contacts with portal access, at the end of each period',
    columns: [
      { label: span === 'weeks' ? 'Week' : 'Month' },
      { label: 'MFA on', end: true },
      { label: 'Not set up', end: true },
      { label: 'Share', end: true },
    ],
    rows: periods.map((period) => [
      name(period, span),
      ...(period.count
        ? [number(period.count.on), number(period.count.none), share(period.count)]
        : ['–', '–', 'Not counted']),
    ]),
  });
}

function bar(count: Adoption | undefined): { parts: [number, number] | undefined; value: string; unit: string } {
  if (!count) return { parts: undefined, value: '', unit: '' };
  const [value = '', unit = ''] = share(count).replace('less than ', '<').replace('more than ', '>').split('\u00a0');
  return { parts: [count.on, count.none], value, unit: `\u00a0${unit}` };
}

function told(count: Adoption | undefined): string {
  return count ? `${number(count.on)} on, ${number(count.none)} not set up, ${share(count)}` : 'not counted';
}

function name({ from, to }: AdoptionPeriod, span: Span): string {
  return span === 'months' ? MONTH.format(Date.parse(from)) : DAY.formatRange(Date.parse(from), Date.parse(to));
}

function shortName({ from }: AdoptionPeriod, span: Span): string {
  return (span === 'months' ? SHORT_MONTH : SHORT_DAY).format(Date.parse(from));
}

/** A share in whole per cent that says 0 and 100 only where it is none and all. */
export function share(count: Adoption): string {
  if (count.on > 0 && ratio(count) < 0.005) return 'less than 1\u00a0%';
  if (count.none > 0 && ratio(count) >= 0.995) return 'more than 99\u00a0%';
  return `${percent(count)}\u00a0%`;
}

function percent(count: Adoption): number {
  return Math.round(ratio(count) * 100);
}

function ratio({ on, none }: Adoption): number {
  return on + none === 0 ? 0 : on / (on + none);
}

/** The part of a count that is adoption. */
export function adoptionOf(count: Count): Adoption {
  return { on: count['mfa-on'], none: count['mfa-none'] };
}

function number(value: number): string {
  return value.toLocaleString('en-GB');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
