import { html } from 'hono/html';
import { beginUse } from '../auth/passkeys.ts';
import { answerByPasskey, beginSignIn, proveByPasskey, signInByPasskey } from '../auth/passkey-sign-in.ts';
import * as c from '../web/components.ts';
import { notFoundPage } from '../web/errors.ts';
import type { Door, HalfSignedIn, SignedIn } from '../web/guards.ts';
import { askedBy, passkeyForm } from '../web/passkeys.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { askedFor, at, confirmPage, doorOf, gonePage, goOn } from './confirm.ts';
import { doorPage, localeAt } from './frame.ts';
import { homeOf, page as signInPage } from './sign-in.ts';
import { HALF_WAY, signInAgain, suspect, trustBox } from './verify.ts';

/** POST /sign-in/passkey-options: what a browser is to be asked for, by its script. It names nobody. */
export async function signInOptions(visit: Visit, door: Door): Promise<Response> {
  await visit.form();
  const { organization } = door;
  if (organization?.passkeys !== 'sign-in') return notFoundPage(visit);
  const rp = askedBy(visit, organization);
  const before = visit.passkeyCookie();
  const begun = await beginSignIn(visit.installation, rp, organization.id, visit.visitor, before);
  if (begun.kind === 'limited') return visit.json({ until: begun.until }, 429);
  visit.keepPasskeyCookie(begun.browser);
  return visit.json(begun.options);
}

/** POST /sign-in/passkey: both doors at once. */
export async function signIn(visit: Visit, door: Door): Promise<Response> {
  const { response } = await visit.form('response');
  const { organization } = door;
  if (!organization) return notFoundPage(visit);
  const given = {
    rp: askedBy(visit, organization),
    response,
    visitor: visit.visitor,
    previous: visit.sessionCookie('portal'),
  };
  const browser = visit.passkeyCookie() ?? '';
  const outcome = await signInByPasskey(visit.installation, organization.id, browser, given);
  switch (outcome.kind) {
    case 'signed-in':
      visit.signIn('portal', outcome.cookie);
      return visit.see(homeOf(door));
    case 'refused':
      return visit.page(signInPage(door, '', [{ field: 'email', text: say('passkey.sign-in.refused') }]), 422);
    case 'limited': {
      const text = limitedUntil(outcome.until, door);
      return visit.heldBack(signInPage(door, '', [{ field: 'email', text }]), outcome.until);
    }
  }
}

/** POST /verify/passkey-options */
export async function verifyOptions(visit: Visit, { door, challenge }: HalfSignedIn): Promise<Response> {
  await visit.form();
  const rp = askedBy(visit, door.organization);
  const options = await beginUse(visit.installation, rp, { to: 'second-factor', challenge });
  return options ? visit.json(options) : visit.json({}, 401);
}

/** GET /verify/passkey */
export function show(visit: Visit, { door }: HalfSignedIn): Promise<Response> {
  return visit.page(verifyPage(door, []));
}

/** POST /verify/passkey: story 1, second half, by a passkey. */
export async function submit(visit: Visit, half: HalfSignedIn): Promise<Response> {
  const { response, trust } = await visit.form('response', 'trust');
  const { door, challenge } = half;
  const previous = visit.sessionCookie(door.surface);
  const trusting = trust === 'on' ? { carried: visit.deviceCookie() } : undefined;
  const given = { rp: askedBy(visit, door.organization), response, visitor: visit.visitor, previous, trusting };
  const answered = await answerByPasskey(visit.installation, challenge, given);
  switch (answered.kind) {
    case 'right':
      visit.signIn(door.surface, answered.cookie);
      if (answered.trust) visit.trust(answered.trust);
      return visit.see(homeOf(door));
    case 'refused': {
      if (answered.attemptsLeft === 0) return signInAgain(visit, half, 'login.spent');
      const text = say(answered.attemptsLeft === 1 ? 'passkey.refused.last' : 'passkey.refused');
      return visit.page(verifyPage(door, [{ field: 'main', text }], trust === 'on'), 422);
    }
    case 'unreadable':
      return visit.page(verifyPage(door, [{ field: 'main', text: say('passkey.refused') }]), 422);
    case 'limited':
      return visit.heldBack(
        verifyPage(door, [{ field: 'main', text: limitedUntil(answered.until, door) }]),
        answered.until,
      );
    case 'suspected':
      return suspect(visit, half);
    case 'over':
      return signInAgain(visit, half, 'login.replaced');
  }
}

/** POST /confirm/passkey-options */
export async function confirmOptions(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  await visit.form();
  const options = await beginUse(visit.installation, askedBy(visit, organization), { to: 'confirm', session });
  return options ? visit.json(options) : visit.json({}, 401);
}

/** POST /confirm/passkey: proves, renews the session and goes on with what was parked. */
export async function confirm(visit: Visit, who: SignedIn): Promise<Response> {
  const { form, response } = await visit.form('form', 'response');
  const asked = await askedFor(visit, who, form);
  if (!asked) return gonePage(visit, who, 422);
  const given = { rp: askedBy(visit, who.organization), response, visitor: visit.visitor };
  const proof = await proveByPasskey(visit.installation, who.session, given);
  switch (proof.kind) {
    case 'proven':
      return goOn(visit, who, asked, proof.cookie);
    case 'refused':
      return confirmPage(visit, who, asked, at('password', say('passkey.confirm.refused')));
    case 'limited': {
      const text = limitedUntil(proof.until, doorOf(who));
      return confirmPage(visit, who, asked, { ...at('password', text), until: proof.until });
    }
    case 'over':
      return confirmPage(visit, who, asked, at('password', say('confirm.over')));
  }
}

function verifyPage(door: Door, errors: readonly c.Problem[], trust = false): c.Html {
  const path = `${door.base}/verify/passkey`;
  const body = html`<p>${say('passkey.use.text')}</p>
    ${passkeyForm({
      action: path,
      options: `${path}-options`,
      label: say('passkey.use.submit'),
      unable: say('passkey.use.unable'),
      fields: trustBox(door, trust),
    })}
    <p><a href="${door.base}/verify">${say('backup.app')}</a></p>
    <p><a href="${door.base}/verify/backup-code">${say('code.backup')}</a></p>
    ${c.form(`${door.base}/sign-out`, c.button(say('code.other'), { kind: 'link' }))}`;
  return doorPage(door, { title: say('passkey.use'), progress: HALF_WAY, errors, body });
}

function limitedUntil(until: number, door: Door): string {
  return say('login.limited', { time: c.timeText(until, localeAt(door), 'clock') });
}
