import { html } from 'hono/html';
import { readCode } from '../auth/code-input.ts';
import { proveAgain, type FreshProof } from '../auth/fresh-proof.ts';
import { standingOf } from '../auth/grace.ts';
import { findParked, parkForm, takeParked } from '../auth/parked-forms.ts';
import { hasPasskey } from '../auth/passkeys.ts';
import { isFreshlyProven } from '../auth/sessions.ts';
import * as c from '../web/components.ts';
import type { Door, SignedIn } from '../web/guards.ts';
import { passkeyForm } from '../web/passkeys.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { codeShape, usedCode } from './code-words.ts';
import { doorPage } from './frame.ts';
import { homeOf } from './sign-in.ts';

/**
 * Asks for a fresh proof where the last is over ten minutes old (I14): parks what the visitor has sent, or the page they
 * asked for, and leads to /confirm, which goes on with it. `about` goes behind "You're about to". Undefined: go on.
 */
export async function proveFirst(visit: Visit, who: SignedIn, about: string): Promise<Response | undefined> {
  if (isFreshlyProven(who.session, visit.now)) return undefined;
  const id = await parkForm(visit.installation, who.session, { path: visit.path, body: await visit.body(), about });
  // Without an id the account has changed meanwhile, and this session is over: the guard of /confirm says so.
  return visit.see(`${doorOf(who).base}/confirm${id === undefined ? '' : `?form=${id}`}`);
}

/** GET /confirm: what somebody is about to do, and who they are once more. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  return confirmPage(visit, who, visit.query('form'), []);
}

/** POST /confirm: proves, renews the session and goes on with what was parked. */
export async function submit(visit: Visit, who: SignedIn): Promise<Response> {
  const given = await visit.form('form', 'password', 'code');
  const { hasMfa } = await standingOf(visit.installation.db, who.session.account);
  const code = hasMfa ? readCode(given.code) : undefined;
  const problems: c.Problem[] = [];
  if (given.password === '') problems.push({ field: 'password', text: say('login.password.empty') });
  if (code?.kind === 'backup-code') problems.push({ field: 'code', text: say('mfa.setup.backup') });
  else if (code && code.kind !== 'totp') problems.push({ field: 'code', text: codeShape(code) });
  if (problems.length > 0) return confirmPage(visit, who, given.form, problems);
  const answer = code?.kind === 'totp' ? code : undefined;
  const proof = await proveAgain(visit.installation, who.session, given.password, answer, visit.visitor);
  if (proof.kind !== 'proven') return refused(visit, who, given.form, proof);
  return goOn(visit, who, given.form, proof.cookie);
}

/** What comes after a fresh proof: the form that waited for it, as though it came now, or the page that was asked for. */
export async function goOn(visit: Visit, who: SignedIn, form: string, cookie: string): Promise<Response> {
  const { surface } = who.session;
  visit.signIn(surface, cookie);
  const parked = await takeParked(visit.installation, who.session, form);
  if (!parked) return visit.see(homeOf(doorOf(who)));
  if (parked.body === null) return visit.see(parked.path);
  return visit.redo(parked.path, parked.body, surface, cookie);
}

function refused(
  visit: Visit,
  who: SignedIn,
  form: string,
  proof: Exclude<FreshProof, { kind: 'proven' }>,
): Promise<Response> {
  const at = (field: string, text: string): Promise<Response> => confirmPage(visit, who, form, [{ field, text }]);
  switch (proof.kind) {
    case 'password-wrong':
      return at('password', say('confirm.wrong'));
    case 'code-wrong':
      return at('code', say('code.wrong'));
    case 'already-used':
      return at('code', usedCode(proof.nextCodeAt, visit.now));
    case 'limited': {
      const time = c.timeText(proof.until, who.organization, 'clock');
      return confirmPage(visit, who, form, [{ field: 'password', text: say('login.limited', { time }) }], proof.until);
    }
    case 'clock-behind': {
      const key = who.session.surface === 'admin' ? 'mfa.setup.paused.staff' : 'mfa.setup.paused';
      return at('code', say(key, { m: who.organization.name }));
    }
    case 'over':
      return at('password', say('confirm.over'));
  }
}

/** The page, with what was wrong on it; `until`: held back by a limit. */
export async function confirmPage(
  visit: Visit,
  who: SignedIn,
  form: string,
  errors: readonly c.Problem[],
  until?: number,
): Promise<Response> {
  const parked = await findParked(visit.installation, who.session, form);
  const { hasMfa } = await standingOf(visit.installation.db, who.session.account);
  const door = doorOf(who);
  const fields = html`<input type="hidden" name="form" value="${form}" /> ${c.passwordField({
      name: 'password',
      label: say('login.password'),
      hint: say('confirm.hint', { email: who.session.account.email }),
      autocomplete: 'current-password',
      error: c.problemOf(errors, 'password'),
    })}
    ${hasMfa ? c.codeField({ label: say('confirm.code'), error: c.problemOf(errors, 'code') }) : c.nothing}
    ${c.actions(c.button(say('confirm.submit')), c.linkButton(say('confirm.cancel'), homeOf(door)))}`;
  const byPasskey = await hasPasskey(visit.installation.db, who.session.account);
  const page = doorPage(door, {
    title: say('confirm.title'),
    errors,
    signOut: true,
    progress: { outer: true, inner: true },
    extra: hasMfa ? await visit.house.pageExtra?.(who.session.account) : undefined,
    body: html`<p>${parked ? say('confirm.about', { action: parked.about }) : say('confirm.nothing')}</p>
      ${byPasskey ? passkeyPart(door, form) : c.nothing}
      ${c.form(`${door.base}/confirm`, fields, { busy: say('login.busy') })}`,
  });
  if (until !== undefined) return visit.heldBack(page, until);
  return visit.page(page, errors.length > 0 ? 422 : 200);
}

// Above the fields: it takes the place of both of them.
function passkeyPart({ base }: Door, form: string): c.Html {
  return passkeyForm({
    action: `${base}/confirm/passkey`,
    options: `${base}/confirm/passkey-options`,
    label: say('passkey.use.submit'),
    kind: 'second',
    fields: html`<input type="hidden" name="form" value="${form}" />`,
  });
}

function doorOf({ organization, session: { surface } }: SignedIn): Door {
  return { surface, base: surface === 'admin' ? '/admin' : `/portal/${organization.slug}`, organization };
}
