import { html, raw } from 'hono/html';
import type { Draft, Link } from './letters.ts';

/** A letter as plain text, for whoever reads it so: the same words in the same order. */
export function textOf(draft: Draft): string {
  const { paragraphs, details, link, ifNotYou, foot } = draft;
  const blocks = [
    ...paragraphs.slice(0, 1),
    ...(link ? [`${link.label}:\n${link.url}`] : []),
    ...paragraphs.slice(1),
    details.map(({ label, value }) => `${label}: ${value}`).join('\n'),
    ...(ifNotYou ? [notYouText(ifNotYou)] : []),
    `-- \n${foot.join('\n')}`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function notYouText({ heading, steps, link }: NonNullable<Draft['ifNotYou']>): string {
  const numbered = steps.map((step, index) => `${index + 1}. ${step}`);
  return [heading, ...(link ? [`${link.label}: ${link.url}`] : []), ...numbered].join('\n');
}

/**
 * The same as HTML. It loads nothing: no image, no font, no style sheet, so nobody learns that it was opened (R41). It sets
 * no colour, so that a reader's dark mode has all of them to choose, and says no left or right.
 */
export async function htmlOf(draft: Draft): Promise<string> {
  const { lang, subject, paragraphs, details, link, ifNotYou, foot } = draft;
  const page = html`<!doctype html>
    <html lang="${lang}" dir="auto">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        <title>${subject}</title>
        ${raw(STYLE)}
      </head>
      <body dir="auto" style="margin:0;padding:16px;font:16px/1.5 system-ui,sans-serif">
        <div role="article" aria-roledescription="email" lang="${lang}" style="max-width:36rem;margin:0 auto">
          <h1 style="font-size:1.25rem;line-height:1.3;margin:0 0 1rem"><bdi>${subject}</bdi></h1>
          ${paragraph(paragraphs[0] ?? '')} ${link ? linkPart(link) : ''} ${paragraphs.slice(1).map(paragraph)}
          ${details.length > 0 ? table(details) : ''} ${ifNotYou ? notYou(ifNotYou) : ''}
          <hr style="border:0;border-top:1px solid;opacity:.3;margin:1.5rem 0" />
          ${foot.map((line) => html`<p style="margin:0 0 .5rem;font-size:.875rem"><bdi>${line}</bdi></p>`)}
        </div>
      </body>
    </html>`;
  return String(await page);
}

const STYLE = '<style>:root{color-scheme:light dark;supported-color-schemes:light dark}</style>';

type Part = ReturnType<typeof html>;

function paragraph(text: string): Part {
  return html`<p style="margin:0 0 1rem"><bdi>${text}</bdi></p>`;
}

// The address stands there in full, so that whoever does not press links can see and copy it.
function linkPart({ label, url }: Link): Part {
  return html`<p style="margin:0 0 1rem">
    <a href="${url}" style="font-weight:600">${label}</a><br />
    <span dir="ltr" style="font-size:.875rem;overflow-wrap:anywhere">${url}</span>
  </p>`;
}

function table(details: Draft['details']): Part {
  return html`<table style="border-collapse:collapse;margin:0 0 1rem">
    ${details.map(
      ({ label, value }) =>
        html`<tr>
          <th scope="row" style="text-align:start;vertical-align:top;padding:2px 0;padding-inline-end:1rem">
            ${label}
          </th>
          <td style="vertical-align:top;padding:2px 0;overflow-wrap:anywhere"><bdi>${value}</bdi></td>
        </tr>`,
    )}
  </table>`;
}

function notYou({ heading, steps, link }: NonNullable<Draft['ifNotYou']>): Part {
  return html`<h2 style="font-size:1rem;margin:0 0 .5rem">${heading}</h2>
    ${link ? linkPart(link) : ''}
    <ol style="margin:0 0 1rem;padding-inline-start:1.5rem">
      ${steps.map((step) => html`<li><bdi>${step}</bdi></li>`)}
    </ol>`;
}
