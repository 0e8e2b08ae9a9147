import { html } from 'hono/html';
import { outboxState, WAITING_COUNTED, type OutboxState } from '../accounts/outbox-state.ts';
import { spend } from '../auth/counters.ts';
import { TEST_LETTERS } from '../auth/limits.ts';
import { subjectOf } from '../mail/letters.ts';
import { hostOf, type Handed } from '../mail/post.ts';
import { sendTest } from '../mail/test-letter.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { barred, consolePage, counted } from './console.ts';

export const EMAIL = '/admin/settings/email';
export const TEST = `${EMAIL}/test`;

type Mail = NonNullable<Visit['house']['mail']>;

const LATELY_MS = 7 * 24 * 3_600_000;

/** Settings › Email: whether letters are sent, and how they fare. */
export function show(visit: Visit, who: SignedIn): Promise<Response> {
  return emailPage(visit, who);
}

/** Send a test email: to oneself, at once. */
export async function sendTestLetter(visit: Visit, who: SignedIn): Promise<Response> {
  await visit.form();
  const { mail, publicUrl } = visit.house;
  if (!mail) return visit.see(EMAIL);
  const { organization, session } = who;
  const { db } = visit.installation;
  const room = await spend(db, { limit: TEST_LETTERS, subject: `${organization.id} ${session.account.id}` }, visit.now);
  if (!room.ok) return emailPage(visit, who, { until: room.until });
  const handed = await sendTest(mail, publicUrl, { organization, account: session.account, at: visit.now });
  return emailPage(visit, who, { handed });
}

interface Tried {
  readonly handed?: Handed;
  /** No more test letters before then. */
  readonly until?: number;
}

async function emailPage(visit: Visit, who: SignedIn, tried: Tried = {}): Promise<Response> {
  const { mail } = visit.house;
  const state = await outboxState(visit.installation.db, who.organization.id, visit.now - LATELY_MS);
  const body = html`${outcome(tried, who)} ${mail ? settings(mail) : off()}
  ${mail && barred(who, 'change settings') === undefined ? test(who) : c.nothing} ${letters(state, who, mail)}`;
  return consolePage(visit, who, {
    current: 'settings',
    title: 'Email',
    phrase: 'Settings',
    error: tried.handed !== undefined && tried.handed.kind !== 'accepted',
    until: tried.until,
    body,
  });
}

function outcome({ handed, until }: Tried, { organization, session }: SignedIn): c.Html {
  if (until !== undefined) {
    const text = html`<p>That was enough for now. Try again at ${c.time(until, organization, 'clock')}.</p>`;
    return c.notice('warn', text, { role: 'alert' });
  }
  if (!handed) return c.nothing;
  const details =
    handed.answer === ''
      ? c.nothing
      : c.disclosure('Details', html`<p>The mail server said: ${c.ltr(handed.answer)}</p>`);
  const sentence = html`<p>${RESULTS[handed.kind](session.account.email)}</p>
    ${details}`;
  return handed.kind === 'accepted'
    ? c.notice('ok', sentence, { role: 'status' })
    : c.notice('danger', sentence, { role: 'alert' });
}

const RESULTS: Record<Handed['kind'], (email: string) => string> = {
  accepted: (email) => `The mail server has taken the letter to ${email}. If it does not arrive, look among spam.`,
  refused: (email) => `The mail server does not take a letter to ${email}.`,
  later: () => 'The mail server does not take the letter just now. Letters are tried again by themselves.',
  broken: () => 'The mail server did not answer, or hung up. Check its address, its port and your firewall.',
  unreachable: () =>
    'The mail server lets nobody in with these settings. Check SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM.',
};

function settings(mail: Mail): c.Html {
  return c.section(
    'Mail is on',
    c.summaryList([
      { label: 'From', value: c.ltr(mail.from) },
      { label: 'Mail server', value: c.ltr(hostOf(mail)) },
    ]),
  );
}

function off(): c.Html {
  return c.section(
    'Mail is off',
    html`<p>
        No letters are sent: nobody is told of changes to their account, and links reach customers only if you hand them
        over.
      </p>
      <p>To turn mail on, set both of these where the server is started, then restart it:</p>
      <p><code class="key" dir="ltr">SALLYPORT_SMTP_URL=smtps://user:password@mail.example.com</code></p>
      <p><code class="key" dir="ltr">SALLYPORT_MAIL_FROM=portal@example.com</code></p>`,
  );
}

function test({ session }: SignedIn): c.Html {
  const to = html`<p>It goes to you, ${c.ltr(session.account.email)}, at once.</p>`;
  return c.section('Does it work?', html`${to} ${c.form(TEST, c.button('Send a test email'), { busy: 'Sending…' })}`);
}

function letters(state: OutboxState, { organization }: SignedIn, mail: Mail | undefined): c.Html {
  const { waiting, oldestAt, lastAnswer, givenUp } = state;
  if (!mail && waiting === 0 && givenUp.length === 0) return c.nothing;
  const since = oldestAt === null ? c.nothing : html`, the oldest since ${c.time(oldestAt, organization)}`;
  const answer = lastAnswer === null ? c.nothing : html`<p>The mail server said: ${c.ltr(lastAnswer)}</p>`;
  const shown =
    waiting > WAITING_COUNTED ? `Over ${counted(WAITING_COUNTED, 'letter', 'letters')} wait` : waits(waiting);
  return html`${c.section(
    'Letters that wait',
    html`<p>${shown}${since}.</p>
      ${answer}`,
  )}
  ${givenUp.length === 0 ? c.nothing : gaveUp(state, organization)}`;
}

function waits(waiting: number): string {
  return waiting === 0 ? 'None waits' : counted(waiting, 'letter waits', 'letters wait');
}

function gaveUp({ givenUp }: OutboxState, organization: SignedIn['organization']): c.Html {
  return c.section(
    'Given up in the last seven days',
    c.dataTable({
      id: 'given-up',
      caption: 'Letters that the mail server refused, or would not take for three days',
      columns: [{ label: 'When' }, { label: 'Letter' }, { label: 'The mail server said' }],
      rows: givenUp.map(({ kind, at, answer }) => [
        c.time(at, organization),
        subjectOf(kind, organization),
        c.ltr(answer ?? ''),
      ]),
    }),
  );
}
