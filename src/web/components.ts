import { html } from 'hono/html';
import { type Key, say, sayParts } from '../words/say.ts';
import { attr, button, type Content, form, type Html, linkButton, nothing } from './fields.ts';

export * from './fields.ts';

export type Locale = { timeZone: string; language: string };
type Style = 'moment' | 'date' | 'clock' | 'hour';

/** A catalogue text in which a placeholder may be an element, such as a time. */
export function words(key: Key, values: Record<string, unknown>): Html {
  return html`${sayParts(key, values)}`;
}

/** A banner. `status` for what just happened, `alert` for what cannot wait; neither for what is simply so. */
export function notice(
  kind: 'ok' | 'warn' | 'danger' | 'info',
  content: Content,
  p: { role?: 'status' | 'alert' } = {},
): Html {
  return html`<div class="notice ${kind}" ${attr('role', p.role)}>${content}</div>`;
}

/** State as a word plus a dot: never colour alone. */
export function pill(state: 'ok' | 'warn' | 'muted' | 'danger', text: string): Html {
  return html`<span class="pill ${state}">${text}</span>`;
}

/** A time in words: 24 November 2026 at 10:15 GMT; `clock`, for the end of a wait and so rounded up, is 10:15 GMT, `hour` 10:15. Months are words, so that day and month cannot be mixed up. */
export function timeText(ms: number, where: Locale, style: Style = 'moment'): string {
  const day = { day: 'numeric', month: 'long', year: 'numeric' } as const;
  const hour = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const clock = { ...hour, timeZoneName: 'short' } as const;
  const shape = { moment: { ...day, ...clock }, date: day, clock, hour }[style];
  const told = style === 'clock' ? Math.ceil(ms / 60_000) * 60_000 : ms;
  return new Intl.DateTimeFormat(localeTag(where.language), { ...shape, timeZone: where.timeZone }).format(told);
}

/** The locale that dates and amounts are written in: English ones put the day before the month. */
export function localeTag(language: string): string {
  return language === 'en' ? 'en-GB' : language;
}

/** The same as an element that machines read too. */
export function time(ms: number, where: Locale, style: Style = 'moment'): Html {
  return html`<time datetime="${new Date(ms).toISOString()}">${timeText(ms, where, style)}</time>`;
}

/** Text that keeps its own direction and order inside any language: e-mails, keys, addresses. */
export function ltr(text: string): Html {
  return html`<bdi dir="ltr">${text}</bdi>`;
}

export type Copy = { copied?: string; problem?: string; select?: string; kind?: 'second' | 'link' };

/**
 * Copies `text`. Stands inside `actions(…)`, whose status line says `copied` or `problem`; `select` is the id of the
 * element that is selected when the browser refuses to copy. Hidden until script can work it.
 */
export function copyButton(label: string, text: string, p: Copy = {}): Html {
  return html`<button
    type="button"
    hidden
    class="${p.kind ?? 'second'}"
    data-copy="${text}"
    data-done="${say('page.copied')}"
    data-copied="${p.copied ?? say('page.copied')}"
    data-problem="${p.problem ?? say('page.copy-problem')}"
    ${attr('data-select', p.select)}
  >
    ${label}
  </button>`;
}

/** Prints the page. Hidden until script can work it. */
export function printButton(label: string): Html {
  return html`<button type="button" hidden class="second" data-print>${label}</button>`;
}

/** `sort`: where a press on the label leads, and the direction that the table has by this column today. */
export type Column = {
  label: string;
  hidden?: boolean;
  end?: boolean;
  sort?: { href: string; now: 'ascending' | 'descending' | undefined } | undefined;
};

export type Table = { id: string; caption: string; columns: Column[]; rows: Content[][]; rowHeader?: number };

/** A table in a region that scrolls by itself, so that the page never scrolls sideways. `rowHeader` is the cell that names its row. */
export function dataTable(p: Table): Html {
  const heads = p.columns.map(
    (column) =>
      html`<th scope="col" ${attr('class', column.end && 'end')}${attr('aria-sort', column.sort?.now)}>
        ${columnLabel(column)}
      </th>`,
  );
  const cell = (content: Content, at: number): Html =>
    at === (p.rowHeader ?? 0)
      ? html`<th scope="row">${content}</th>`
      : html`<td${attr('class', p.columns[at]?.end && 'end')}>${content}</td>`;
  return html`<div class="table" role="region" aria-labelledby="${p.id}" tabindex="0">
    <table>
      <caption id="${p.id}" class="visually-hidden">
        ${p.caption}
      </caption>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${p.rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function columnLabel({ label, hidden, sort }: Column): Content {
  if (hidden) return html`<span class="visually-hidden">${label}</span>`;
  return sort ? html`<a class="sort" href="${sort.href}">${label}</a>` : label;
}

/** What stands where a list would be: the outlined arch, one sentence, one thing to do. */
export function emptyState(sentence: string, action: Html = nothing): Html {
  return html`<div class="empty">
    ${logo({ outer: false, inner: false })}
    <p>${sentence}</p>
    ${action}
  </div>`;
}

const GEAR =
  'M8.9 1h2.2l.4 2.2 1.6.7 1.9-1.3 1.5 1.6-1.2 1.9.6 1.5 2.1.4v2.2l-2.1.4-.7 1.6 1.3 1.8-1.6 1.6-1.8-1.3-1.6.7L11.1 19H8.9l-.4-2.1-1.6-.7-1.8 1.3-1.6-1.6 1.3-1.8-.7-1.6L2 12V9.8l2.1-.4.7-1.5-1.3-1.9L5.1 4.3l1.8 1.2 1.6-.6zM10 7a3.4 3.4 0 1 0 0 6.8A3.4 3.4 0 0 0 10 7z';

/** `href` goes to a page, `action` posts there at once; with `reason` the entry stays in its place but says why not. */
export type MenuItem = { label: string } & ({ href: string } | { action: string } | { reason: string });

/** The gear: a disclosure without script, a menu button with it. `label` says whose: "Actions for maria@globex.test". */
export function gearMenu(label: string, items: MenuItem[]): Html {
  const gear = html`<svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
    <path fill="currentColor" fill-rule="evenodd" d="${GEAR}" />
  </svg>`;
  return html`<details class="menu">
    <summary aria-label="${label}">${gear}</summary>
    <ul aria-label="${label}">
      ${items.map((item) => html`<li>${menuItem(item)}</li>`)}
    </ul>
  </details>`;
}

function menuItem(item: MenuItem): Html {
  if ('href' in item) return html`<a href="${item.href}">${item.label}</a>`;
  if ('action' in item) return form(item.action, button(item.label, { kind: 'link' }));
  return html`<span class="off">${item.label} <small>${item.reason}</small></span>`;
}

const OUTER = 'M3.5 28V15a12.5 12.5 0 0 1 25 0v13h-3V15a9.5 9.5 0 0 0-19 0v13z';
const INNER = 'M11.5 28V16a4.5 4.5 0 0 1 9 0v12z';

/** The two doors: the outer arch fills after the password, the inner one after the code. */
export function logo(p: { outer: boolean; inner: boolean }): Html {
  return html`<svg class="arch" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
    ${arch(OUTER, p.outer)}${arch(INNER, p.inner)}
  </svg>`;
}

function arch(path: string, filled: boolean): Html {
  if (filled) return html`<path d="${path}" fill="currentColor" />`;
  return html`<path d="${path}" fill="none" stroke="currentColor" stroke-width="1" />`;
}

export type SummaryRow = { label: string; value: Content; action?: Html | undefined };

/** Label, value, and what can be done about it. */
export function summaryList(rows: SummaryRow[]): Html {
  return html`<dl class="summary">
    ${rows.map(
      (row) =>
        html`<div>
          <dt>${row.label}</dt>
          <dd>${row.value}</dd>
          ${row.action ? html`<dd class="act">${row.action}</dd>` : nothing}
        </div>`,
    )}
  </dl>`;
}

/** What can be done about a row: links and forms of one button each, `named` where the page has several of them. */
export function rowActs(...acts: Html[]): Html {
  return html`<div class="acts">${acts}</div>`;
}

/** A link among them. */
export function rowLink(label: string, href: string, named?: string): Html {
  return html`<a href="${href}" ${attr('aria-label', named)}>${label}</a>`;
}

/** More for those who need it. `touch`: script opens it where a finger is the pointer. */
export function disclosure(label: string, content: Content | Html[], p: { open?: boolean | 'touch' } = {}): Html {
  return html`<details class="more" ${attr('open', p.open === true)}${attr('data-touch', p.open === 'touch')}>
    <summary>${label}</summary>
    <div>${content}</div>
  </details>`;
}

/** A titled part of a page in its own frame. */
export function section(heading: string, body: Content | Html[]): Html {
  return html`<section class="panel">
    <h2>${heading}</h2>
    ${body}
  </section>`;
}

/** Numbered instructions. */
export function steps(...items: Content[]): Html {
  return html`<ol class="steps">
    ${items.map((item) => html`<li>${item}</li>`)}
  </ol>`;
}

/** Two columns from 48rem, one below that. */
export function pair(first: Html, second: Html): Html {
  return html`<div class="pair">
    <div>${first}</div>
    <div>${second}</div>
  </div>`;
}

/** The QR code as an image, which browsers and password managers recognize, and the way without a second device. */
export function qrCode(p: { src: string; alt: string; otpauth?: string }): Html {
  const link = p.otpauth ? linkButton(say('mfa.setup.device'), p.otpauth) : nothing;
  return html`<div class="qr"><img src="${p.src}" alt="${p.alt}" width="224" height="224" />${link}</div>`;
}

/** A setup key in groups of four; one click selects all of it. */
export function setupKey(id: string, key: string): Html {
  return html`<code class="key" id="${id}" dir="ltr">${key.match(/.{1,4}/g)?.join(' ') ?? ''}</code>`;
}

/** Backup codes, 4-4-4 and without numbers in front; printed with a box to tick each. `id` is for copyButton's `select`. */
export function codeList(id: string, label: string, codes: readonly string[]): Html {
  return html`<ul class="codes" id="${id}" aria-label="${label}">
    ${codes.map((code) => html`<li><code dir="ltr">${code}</code></li>`)}
  </ul>`;
}

/** What only the printed sheet shows. */
export function onPaper(content: Content | Html[]): Html {
  return html`<div class="on-paper">${content}</div>`;
}
