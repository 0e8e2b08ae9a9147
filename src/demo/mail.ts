import { html } from 'hono/html';
import type { Installation } from '../accounts/installation.ts';
import { keepUp } from '../cli/keep-up.ts';
import type { Parcel, Post } from '../mail/post.ts';
import { openSender } from '../mail/sender.ts';
import { emptyState, ltr, section, time, type Html } from '../web/components.ts';
import { anyone } from '../web/guards.ts';
import { barePage } from '../web/layout.ts';
import { route, type Route } from '../web/routes.ts';

const FROM = 'portal@acme.test';
const LOOK_EVERY_MS = 500;
/** Of a whole day's clicking about; older ones fall away. */
const KEPT = 200;
const WHERE = { timeZone: 'UTC', language: 'en' };

/** Every mailbox of the demo: what would be handed to a mail server is kept here and shown on a page. */
export function demoMail(
  installation: Installation,
  publicUrl: string,
): { readonly route: Route; readonly keepSending: () => () => Promise<void> } {
  const parcels: Parcel[] = [];
  const catcher: Post = {
    reach: () => Promise.resolve({ kind: 'accepted', answer: '' }),
    handIn: (parcel) => {
      parcels.unshift(parcel);
      parcels.length = Math.min(parcels.length, KEPT);
      return Promise.resolve({ kind: 'accepted', answer: '' });
    },
    close: () => undefined,
  };
  return {
    route: route('GET', '/demo/mail', anyone, (visit) => visit.page(mailboxPage(parcels, publicUrl))),
    keepSending: () => {
      const sender = openSender(installation, { publicUrl, from: FROM, open: () => catcher });
      return keepUp(installation.log, {
        everyMs: LOOK_EVERY_MS,
        turn: async () => void (await sender.turn()),
        finish: () => sender.finish(),
        trouble: 'letters cannot be sent',
        mended: 'letters are sent again',
      });
    },
  };
}

function mailboxPage(parcels: readonly Parcel[], publicUrl: string): Html {
  return barePage({
    title: 'Everybody’s mail',
    name: 'Sallyport demo: Acme Billing',
    body: html`<p>
        Letters that would go out by mail, the newest first. In the demo they all end here.
        <a href="/">Back to the help page</a>
      </p>
      ${
        parcels.length === 0
          ? emptyState('No letter yet. Enable MFA for somebody, and one tells them so.')
          : parcels.map((parcel) => letter(parcel, publicUrl))
      }`,
  });
}

function letter({ to, subject, text, at }: Parcel, publicUrl: string): Html {
  return section(
    subject,
    html`<p>To ${ltr(to)}, ${time(at, WHERE)}</p>
      ${text.split('\n\n').map((block) => html`<p>${linesOf(block, publicUrl)}</p>`)}`,
  );
}

function linesOf(block: string, publicUrl: string): Html[] {
  return block.split('\n').map((line, at) => html`${at > 0 ? html`<br />` : ''}${withLinks(line, publicUrl)}`);
}

const SHOWN = 32;

// Only addresses of the demo itself become links, whatever else a letter holds.
function withLinks(text: string, publicUrl: string): (Html | string)[] {
  return text.split(/(https?:\/\/\S*[^\s.,])/).map((part) => {
    if (!part.startsWith(publicUrl)) return part;
    const path = part.slice(publicUrl.length);
    return html`<a href="${part}">${path.length > SHOWN ? `${path.slice(0, SHOWN)}…` : path}</a>`;
  });
}
