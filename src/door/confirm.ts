import { html } from 'hono/html';
import { readCode } from '../auth/code-input.ts';
import { proveAgain, type FreshProof } from '../auth/fresh-proof.ts';
import { standingOf } from '../auth/grace.ts';
import { findParked, parkForm, takeParked, type ParkedForm } from '../auth/parked-forms.ts';
import { hasPasskey } from '../auth/passkeys.ts';
import { isFreshlyProven, mayReplaceFactors } from '../auth/sessions.ts';
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
 * asked for, and leads to /confirm, which goes on with it. Called when nothing is wrong with the form any more, so that
 * nobody is asked for the sake of a mistake. `about` goes behind "You're about to". Undefined: go on.
 */
export async function proveFirst(visit: Visit, who: SignedIn, about: string): Promise<Response | undefined> {
  if (isFreshlyProven(who.session, visit.now)) return undefined;
  const form = { path: visit.pathAndQuery, body: await visit.body(), about };
  const id = await parkForm(visit.installation, who.session, form);
  // Without an id the account has changed meanwhile, and this session is over: the guard of /confirm says so.
  return visit.see(`${doorOf(who).base}/confirm${id === undefined ? '' : `?form=${id}`}`);
}

/** The same for replacing the authenticator and for new codes, for which a fresh sign-in by a backup code will do. */
export async function proveFactorFirst(visit: Visit, who: SignedIn, about: string): Promise<Response | undefined> {
  return mayReplaceFactors(who.session, visit.now) ? undefined : proveFirst(visit, who, about);
}

/** What somebody is asked to prove themselves for: a form of theirs, named by its id, or nothing in particular. */
interface Asked {
  readonly id: string;
  readonly parked: ParkedForm | undefined;
}

/** GET /confirm: what somebody is about to do, and who they are once more. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  const asked = await askedFor(visit, who, visit.query('form'));
  return asked ? confirmPage(visit, who, asked) : gonePage(visit, who, 200);
}

/** POST /confirm: proves, renews the session and goes on with what was parked. */
export async function submit(visit: Visit, who: SignedIn): Promise<Response> {
  const given = await visit.form('form', 'password', 'code');
  const asked = await askedFor(visit, who, given.form);
  if (!asked) return gonePage(visit, who, 422);
  const { hasMfa } = await standingOf(visit.installation.db, who.session.account);
  const code = hasMfa ? readCode(given.code) : undefined;
  const problems: c.Problem[] = [];
  if (given.password === '') problems.push({ field: 'password', text: say('login.password.empty') });
  if (code?.kind === 'backup-code') problems.push({ field: 'code', text: say('mfa.setup.backup') });
  else if (code && code.kind !== 'totp') problems.push({ field: 'code', text: codeShape(code) });
  if (problems.length > 0) return confirmPage(visit, who, asked, { problems });
  const answer = code?.kind === 'totp' ? code : undefined;
  const proof = await proveAgain(visit.installation, who.session, given.password, answer, visit.visitor);
  if (proof.kind === 'proven') return goOn(visit, who, asked, proof.cookie);
  return confirmPage(visit, who, asked, refusalOf(visit, who, proof));
}

/** What waits for the proof; undefined where it is gone. */
export async function askedFor(visit: Visit, who: SignedIn, id: string): Promise<Asked | undefined> {
  const parked = id === '' ? undefined : await findParked(visit.installation, who.session, id);
  return id === '' || parked ? { id, parked } : undefined;
}

/** What comes after a fresh proof: the form that waited for it, as though it came now, or the page that was asked for. */
export async function goOn(visit: Visit, who: SignedIn, { id }: Asked, cookie: string): Promise<Response> {
  const { surface } = who.session;
  // Before all else: whatever becomes of the form, the old token is dead.
  visit.signIn(surface, cookie);
  const parked = id === '' ? undefined : await takeParked(visit.installation, who.session, id);
  if (parked && parked.body !== null) return visit.redo({ path: parked.path, body: parked.body }, surface, cookie);
  if (parked) return visit.see(parked.path);
  if (id !== '') return gonePage(visit, who, 422);
  visit.leave(surface, { kind: 'ok', text: say('confirm.done') });
  return visit.see(homeOf(doorOf(who)));
}

/** Why nobody was proven; `until` where a limit holds the answer back. */
interface Refusal {
  readonly problems: readonly c.Problem[];
  readonly until?: number;
  /** The server's clock is behind, so that no proof can be given just now. */
  readonly unavailable?: true;
}

function refusalOf(visit: Visit, who: SignedIn, proof: Exclude<FreshProof, { kind: 'proven' }>): Refusal {
  switch (proof.kind) {
    case 'password-wrong':
      return at('password', say('confirm.wrong'));
    case 'code-wrong':
      return at('code', say('code.wrong'));
    case 'already-used':
      return at('code', usedCode(proof.nextCodeAt, visit.now));
    case 'limited': {
      const time = c.timeText(proof.until, who.organization, 'clock');
      return { ...at('password', say('login.limited', { time })), until: proof.until };
    }
    case 'clock-behind': {
      const key = who.session.surface === 'admin' ? 'mfa.setup.paused.staff' : 'mfa.setup.paused';
      return { ...at('code', say(key, { m: who.organization.name })), unavailable: true };
    }
    case 'over':
      return at('password', say('confirm.over'));
  }
}

/** The refusal that stands at one field. */
export function at(field: string, text: string): Refusal {
  return { problems: [{ field, text }] };
}

/** The page, with what was wrong on it. */
export async function confirmPage(visit: Visit, who: SignedIn, asked: Asked, refusal?: Refusal): Promise<Response> {
  const errors = refusal?.problems ?? [];
  const { account } = who.session;
  const { hasMfa } = await standingOf(visit.installation.db, account);
  const door = doorOf(who);
  const fields = html`${asked.parked ? html`<input type="hidden" name="form" value="${asked.id}" />` : c.nothing}
  ${c.passwordField({
    name: 'password',
    label: say('login.password'),
    hint: say('confirm.hint', { email: account.email }),
    autocomplete: 'current-password',
    error: c.problemOf(errors, 'password'),
  })}
  ${hasMfa ? c.codeField({ label: say('confirm.code'), error: c.problemOf(errors, 'code') }) : c.nothing}
  ${c.actions(c.button(say('confirm.submit')), c.linkButton(say('confirm.cancel'), homeOf(door)))}`;
  const byPasskey = await hasPasskey(visit.installation.db, account);
  const page = doorPage(door, {
    title: say('confirm.title'),
    errors,
    signOut: true,
    progress: { outer: true, inner: true },
    extra: hasMfa ? await visit.house.pageExtra?.(account) : undefined,
    body: html`<p>${asked.parked ? say('confirm.about', { action: asked.parked.about }) : say('confirm.nothing')}</p>
      ${byPasskey ? passkeyPart(door, asked) : c.nothing}
      ${c.form(`${door.base}/confirm`, fields, { busy: say('login.busy') })}`,
  });
  if (refusal?.unavailable) return visit.unavailable(page);
  if (refusal?.until !== undefined) return visit.heldBack(page, refusal.until);
  return visit.page(page, errors.length > 0 ? 422 : 200);
}

// Above the fields: it takes the place of both of them.
function passkeyPart({ base }: Door, asked: Asked): c.Html {
  return passkeyForm({
    action: `${base}/confirm/passkey`,
    options: `${base}/confirm/passkey-options`,
    label: say('passkey.use.submit'),
    kind: 'second',
    fields: html`<input type="hidden" name="form" value="${asked.parked ? asked.id : ''}" />`,
  });
}

/** Done already, too late, or of another session: which of these it was, only whoever sent it can tell. */
export function gonePage(visit: Visit, who: SignedIn, status: 200 | 422): Promise<Response> {
  const door = doorOf(who);
  const page = doorPage(door, {
    title: say('confirm.gone.title'),
    error: status === 422,
    signOut: true,
    progress: { outer: true, inner: true },
    body: html`<p>${say('confirm.gone')}</p>
      <p>${say('confirm.gone.next')}</p>
      ${c.actions(c.linkButton(say('confirm.gone.on'), homeOf(door), 'main'))}`,
  });
  return visit.page(page, status);
}

/** The door that somebody inside has come in by. */
export function doorOf({ organization, session: { surface } }: SignedIn): Door {
  return { surface, base: surface === 'admin' ? '/admin' : `/portal/${organization.slug}`, organization };
}
