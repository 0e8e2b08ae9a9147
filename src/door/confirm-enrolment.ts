import { html } from 'hono/html';
import { findChallenge, type Challenge } from '../auth/challenges.ts';
import { readDigits } from '../auth/code-input.ts';
import { confirmByCode, confirmByLink, linkAgainAt, linkWorks, sendLink } from '../auth/confirmed-enrolment.ts';
import type { Ceremony } from '../auth/enrolment.ts';
import { ENROLMENT_CODE_DIGITS } from '../auth/limits.ts';
import * as c from '../web/components.ts';
import type { Door, HalfSignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { around, someoneElse } from './enable-mfa-pages.ts';
import { at, goOn, wayRound, type Page } from './enable-mfa.ts';
import { doorPage, localeAt, nameAt } from './frame.ts';
import { HALF_WAY } from './verify.ts';

type Unconfirmed = Extract<Ceremony, { step: 'unconfirmed' }>;

/** GET /enable-mfa/confirm, between Verify and Enable MFA: where a new authenticator must be confirmed first. */
export const ask: Page = at('unconfirmed', (visit, half, now) => askPage(visit, half, now));

/** POST /enable-mfa/confirm: the code that staff have handed over. */
export const enterCode: Page = at('unconfirmed', async (visit, half, now) => {
  const { code } = await visit.form('code');
  const digits = readDigits(code, ENROLMENT_CODE_DIGITS);
  if (digits === undefined) return askPage(visit, half, now, { text: say('mfa.confirm.code.shape') });
  const outcome = await confirmByCode(visit.installation, half.challenge, digits, visit.visitor);
  switch (outcome.kind) {
    case 'confirmed':
    case 'out-of-turn':
      return goOn(visit, half);
    case 'wrong':
      return askPage(visit, half, now, { text: say('mfa.confirm.code.wrong', { m: nameAt(half.door) }) });
    case 'wait': {
      const time = c.timeText(outcome.until, localeAt(half.door), 'clock');
      return askPage(visit, half, now, { text: say('mfa.confirm.code.wait', { time }), until: outcome.until });
    }
  }
});

/** POST /enable-mfa/confirm/send: Send it again. */
export const send: Page = at('unconfirmed', async (visit, half, now) => {
  await visit.form();
  const sent = await sendLink(visit.installation, half.challenge, visit.visitor);
  if (sent.kind === 'wait') return askPage(visit, half, now, { until: sent.until });
  return goOn(visit, half);
});

/**
 * GET of the mailed link. The cookie of the ceremony is SameSite=Strict, so that a browser which comes from a mail program
 * brings none: this page can only offer the button whose form does bring it. Looking spends nothing.
 */
export async function showLink(visit: Visit, door: Door): Promise<Response> {
  const works = await linkWorks(visit.installation, organizationOf(door), visit.param('token'));
  return works ? visit.page(linkPage(visit, door)) : visit.page(overPage(door), 404);
}

/** POST of the mailed link: spends it in the browser that holds the ceremony, and nowhere else. */
export async function followLink(visit: Visit, door: Door): Promise<Response> {
  await visit.form();
  const challenge = await challengeHere(visit);
  const { installation, visitor } = visit;
  const outcome = await confirmByLink(installation, organizationOf(door), visit.param('token'), challenge, visitor);
  switch (outcome.kind) {
    case 'confirmed':
      return visit.see(`${door.base}/enable-mfa/enable`);
    case 'elsewhere':
      return visit.page(elsewherePage(door), 422);
    case 'link-over':
      return visit.page(overPage(door), 404);
  }
}

async function challengeHere(visit: Visit): Promise<Challenge | undefined> {
  const cookie = visit.challengeCookie('portal');
  if (cookie === undefined) return undefined;
  const found = await findChallenge(visit.installation.db, 'portal', cookie, visit.now);
  return found?.kind === 'open' ? found.challenge : undefined;
}

function organizationOf({ organization }: Door): string {
  return organization?.id ?? '';
}

async function askPage(
  visit: Visit,
  half: HalfSignedIn,
  { linkSentAt }: Unconfirmed,
  refused: { text?: string; until?: number } = {},
): Promise<Response> {
  const { door, challenge } = half;
  const { text, until } = refused;
  const m = nameAt(door);
  const errors = text === undefined ? [] : [{ field: 'code', text }];
  const heldUntil = text === undefined ? until : undefined;
  const body = html`<p>${say('mfa.confirm.why', { m })}</p>
    ${byLink(visit, door, challenge, linkSentAt, heldUntil)} ${byCode(visit, door, text)}
    ${around(door, await wayRound(visit, half), say('mfa.not-now'), say('mfa.not-now'))} ${someoneElse(door)}`;
  const page = doorPage(door, {
    title: say('mfa.confirm.title'),
    phrase: say('mfa.phrase'),
    progress: HALF_WAY,
    errors,
    body,
  });
  if (until !== undefined) return visit.heldBack(page, until);
  return visit.page(page, errors.length > 0 ? 422 : 200);
}

function byLink(
  visit: Visit,
  door: Door,
  { account: { email }, expiresAt }: Challenge,
  linkSentAt: number | null,
  heldUntil: number | undefined,
): c.Html {
  const m = nameAt(door);
  const contact = door.organization?.contactDetails ?? '';
  if (!visit.installation.mailIsOn)
    return html`<p>${say('mfa.confirm.no-mail', { m })}</p>
      ${contact === '' ? c.nothing : html`<p>${say('mfa.confirm.contact', { m, contact })}</p>`}`;
  if (linkSentAt === null)
    return html`<p>${c.words('mfa.confirm.send.text', { email: c.ltr(email) })}</p>
      ${sending(visit, door, say('mfa.confirm.send'), heldUntil ?? 0)}`;
  const again = Math.max(linkAgainAt(linkSentAt), heldUntil ?? 0);
  return html`<p>${c.words('mfa.confirm.mailed', { email: c.ltr(email) })}</p>
    <p class="hint">${c.words('mfa.confirm.until', { time: c.time(expiresAt, localeAt(door), 'clock') })}</p>
    ${c.linkButton(say('mfa.confirm.continue'), `${door.base}/enable-mfa/enable`, 'main')}
    ${c.disclosure(
      say('mfa.confirm.again.title'),
      html`<p>${say('mfa.confirm.again.text')}</p>
        ${sending(visit, door, say('mfa.confirm.again'), again)}`,
      { open: heldUntil !== undefined },
    )}`;
}

function sending(visit: Visit, door: Door, label: string, notBefore: number): c.Html {
  if (visit.now < notBefore)
    return html`<p>${c.words('mfa.confirm.again.at', { time: c.time(notBefore, localeAt(door), 'clock') })}</p>`;
  return c.form(`${door.base}/enable-mfa/confirm/send`, c.button(label, { kind: 'second' }));
}

// Where no mail can be sent there is no other way, and nothing to open first.
function byCode(visit: Visit, door: Door, error: string | undefined): c.Html {
  const m = nameAt(door);
  const { mailIsOn } = visit.installation;
  const fields = html`${c.codeField({
    label: say('mfa.confirm.code'),
    hint: say('mfa.confirm.code.hint', { m }),
    error,
    backup: true,
  })}
  ${c.button(say('mfa.confirm.code.submit'), { kind: mailIsOn ? 'second' : 'main' })}`;
  const form = c.form(`${door.base}/enable-mfa/confirm`, fields, { busy: say('mfa.busy') });
  if (!mailIsOn) return form;
  return c.disclosure(say('mfa.confirm.code.title', { m }), form, { open: error !== undefined });
}

function linkPage(visit: Visit, door: Door): c.Html {
  const m = nameAt(door);
  const action = `${door.base}/confirm-enrolment/${visit.param('token')}`;
  return doorPage(door, {
    title: say('mfa.confirm.title'),
    phrase: say('mfa.phrase'),
    progress: HALF_WAY,
    body: html`<p>${say('mfa.confirm.link.text', { m })}</p>
      ${c.form(action, c.button(say('mfa.confirm.link.submit')))}
      <p>${say('mfa.confirm.link.not-you', { m })}</p>`,
  });
}

function elsewherePage(door: Door): c.Html {
  const m = nameAt(door);
  return doorPage(door, {
    title: say('mfa.confirm.elsewhere.title'),
    phrase: say('mfa.phrase'),
    error: true,
    body: html`<p>${say('mfa.confirm.elsewhere.text')}</p>
      <p>${say('mfa.confirm.elsewhere.code', { m })}</p>
      <p>${say('mfa.confirm.link.not-you', { m })}</p>`,
  });
}

function overPage(door: Door): c.Html {
  return doorPage(door, {
    title: say('mfa.confirm.over.title'),
    error: true,
    body: html`<p>${say('mfa.confirm.over.text')}</p>
      ${c.linkButton(say('welcome.gone.sign-in'), `${door.base}/sign-in`, 'main')}`,
  });
}
