import { html } from 'hono/html';
import { button, type Content, type Html, linkButton, nothing } from './fields.ts';

/** What a list is narrowed to, each with the way to take it back. */
export function chips(label: string, items: readonly { text: string; href: string }[]): Html {
  if (items.length === 0) return nothing;
  return html`<ul class="chips" aria-label="${label}">
    ${items.map(
      ({ text, href }) =>
        html`<li>
          <a href="${href}"
            >${text} <span aria-hidden="true">✕</span><span class="visually-hidden">: take it away</span></a
          >
        </li>`,
    )}
  </ul>`;
}

/** Previous and Next, with what this page shows between them, and how much a page holds. */
export function pager(p: {
  shown: Content;
  previous: string | null;
  next: { href: string; label: string } | null;
  sizes: readonly { size: number; href: string | null }[];
}): Html {
  return html`<nav class="pager" aria-label="Pages">
    <p>${p.shown}</p>
    <div class="actions">
      ${p.previous === null ? nothing : linkButton('Previous', p.previous)}
      ${p.next === null ? nothing : linkButton(p.next.label, p.next.href)}
    </div>
    <ul class="sizes" aria-label="Rows on a page">
      ${p.sizes.map(pageSize)}
    </ul>
  </nav>`;
}

function pageSize({ size, href }: { size: number; href: string | null }): Html {
  return html`<li>
    ${href === null ? html`<strong aria-current="true">${size}</strong>` : html`<a href="${href}">${size}</a>`}
  </li>`;
}

/** A box in a row that marks it for the form `bulkBar` makes. */
export function selectBox(name: string, value: string, label: string): Html {
  return html`<input type="checkbox" form="many" name="${name}" value="${value}" aria-label="${label}" data-many />`;
}

/**
 * What can be done with the marked rows of a table, below it. Without script it is always there; with script once a row
 * is marked, and it says how many are.
 */
export function bulkBar(p: {
  action: string;
  view: string;
  /** "Select all 214 that match". */
  all: string;
  acts: readonly { value: string; label: string }[];
}): Html {
  return html`<form method="post" action="${p.action}" id="many" class="many" aria-label="Selected contacts">
    <input type="hidden" name="view" value="${p.view}" />
    <p role="status" data-words="% selected on this page"></p>
    <div class="tick">
      <input type="checkbox" id="all" name="all" value="on" />
      <label for="all">${p.all}</label>
    </div>
    <div class="actions">
      ${p.acts.map(({ value, label }) => button(label, { kind: 'second', name: 'act', value }))}
      <button type="button" class="link" hidden data-clear>Clear</button>
    </div>
  </form>`;
}
