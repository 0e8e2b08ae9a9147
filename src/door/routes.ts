import type { Surface } from '../auth/challenges.ts';
import { atDoor, contact, enrolling, halfSignedIn, staff } from '../web/guards.ts';
import { route, type Route } from '../web/routes.ts';
import * as help from './ask-for-help.ts';
import * as cancelling from './cancel-request.ts';
import * as codeUsed from './code-used.ts';
import * as confirm from './confirm.ts';
import * as enrolment from './confirm-enrolment.ts';
import * as mfa from './enable-mfa.ts';
import * as forgot from './forgot-password.ts';
import * as newPassword from './new-password.ts';
import * as passkeys from './passkeys.ts';
import * as spoken from './sign-in-code.ts';
import * as signIn from './sign-in.ts';
import * as verify from './verify.ts';
import * as welcome from './welcome.ts';

/** The two doors, which contacts and staff go through alike: password, code, and the ceremony of enabling MFA. */
export function doorRoutes(surface: Surface): readonly Route[] {
  const base = surface === 'admin' ? '/admin' : '/portal/:slug';
  const anyoneHere = atDoor(surface);
  const half = halfSignedIn(surface);
  const ceremony = enrolling(surface);
  const inside = surface === 'admin' ? staff('read') : contact;
  const mailedLinks = [
    route('POST', `${base}/forgot-password`, anyoneHere, forgot.ask),
    route('GET', `${base}/forgot-password/sent`, anyoneHere, forgot.sent),
    route('GET', `${base}/new-password/:token`, anyoneHere, newPassword.show),
    route('POST', `${base}/new-password/:token`, anyoneHere, newPassword.submit),
  ];
  return [
    route('GET', `${base}/sign-in`, anyoneHere, signIn.show),
    route('POST', `${base}/sign-in`, anyoneHere, signIn.submit),
    route('POST', `${base}/sign-out`, anyoneHere, signIn.leave),
    route('GET', `${base}/forgot-password`, anyoneHere, forgot.show),
    ...(surface === 'portal' ? mailedLinks : []),
    route('GET', `${base}/welcome/:token`, anyoneHere, welcome.show),
    route('POST', `${base}/welcome/:token`, anyoneHere, welcome.submit),
    route('GET', `${base}/verify`, half, verify.show('totp')),
    route('POST', `${base}/verify`, half, verify.submit('totp')),
    route('GET', `${base}/verify/backup-code`, half, verify.show('backup-code')),
    route('POST', `${base}/verify/backup-code`, half, verify.submit('backup-code')),
    route('GET', `${base}/verify/ask-for-help`, half, help.show),
    route('GET', `${base}/backup-code-used`, inside, codeUsed.show),
    route('GET', `${base}/confirm`, inside, confirm.show),
    route('POST', `${base}/confirm`, inside, confirm.submit),
    route('GET', `${base}/enable-mfa`, ceremony, mfa.start),
    route('POST', `${base}/enable-mfa`, ceremony, mfa.configure),
    route('GET', `${base}/enable-mfa/scan`, ceremony, mfa.scan),
    route('GET', `${base}/enable-mfa/qr.svg`, ceremony, mfa.qr),
    route('GET', `${base}/enable-mfa/verify`, ceremony, mfa.verify),
    route('POST', `${base}/enable-mfa/verify`, ceremony, mfa.prove),
    route('GET', `${base}/enable-mfa/enable`, ceremony, mfa.lastStep),
    route('POST', `${base}/enable-mfa/enable`, ceremony, mfa.turnOn),
    route('GET', `${base}/enable-mfa/backup-codes`, ceremony, mfa.codes),
    route('POST', `${base}/enable-mfa/backup-codes`, ceremony, mfa.generate),
    route('POST', `${base}/enable-mfa/backup-codes/download`, ceremony, mfa.download),
    route('POST', `${base}/enable-mfa/done`, ceremony, mfa.done),
    ...(surface === 'portal' ? [...forContacts(base), ...passkeyRoutes(base), ...helpRoutes(base)] : []),
  ];
}

// Staff never put the ceremony off, begin it at the door alone, and their own team has let them in: nothing of theirs
// waits to be confirmed.
function forContacts(base: string): Route[] {
  const anyoneHere = atDoor('portal');
  const ceremony = enrolling('portal');
  return [
    route('POST', `${base}/enable-mfa/later`, ceremony, mfa.later),
    route('POST', `${base}/enable-mfa/cancel`, ceremony, mfa.cancel),
    route('GET', `${base}/enable-mfa/confirm`, ceremony, enrolment.ask),
    route('POST', `${base}/enable-mfa/confirm`, ceremony, enrolment.enterCode),
    route('POST', `${base}/enable-mfa/confirm/send`, ceremony, enrolment.send),
    route('GET', `${base}/confirm-enrolment/:token`, anyoneHere, enrolment.showLink),
    route('POST', `${base}/confirm-enrolment/:token`, anyoneHere, enrolment.followLink),
  ];
}

function passkeyRoutes(base: string): readonly Route[] {
  const half = halfSignedIn('portal');
  return [
    route('POST', `${base}/sign-in/passkey-options`, atDoor('portal'), passkeys.signInOptions),
    route('POST', `${base}/sign-in/passkey`, atDoor('portal'), passkeys.signIn),
    route('POST', `${base}/verify/passkey-options`, half, passkeys.verifyOptions),
    route('GET', `${base}/verify/passkey`, half, passkeys.show),
    route('POST', `${base}/verify/passkey`, half, passkeys.submit),
    route('POST', `${base}/confirm/passkey-options`, contact, passkeys.confirmOptions),
    route('POST', `${base}/confirm/passkey`, contact, passkeys.confirm),
  ];
}

function helpRoutes(base: string): readonly Route[] {
  const half = halfSignedIn('portal');
  return [
    route('POST', `${base}/verify/ask-for-help`, half, help.submit),
    route('POST', `${base}/verify/ask-for-help/cancel`, half, help.cancel),
    route('GET', `${base}/cancel-request/:token`, atDoor('portal'), cancelling.show),
    route('POST', `${base}/cancel-request/:token`, atDoor('portal'), cancelling.submit),
    route('GET', `${base}/verify/sign-in-code`, half, spoken.show),
    route('POST', `${base}/verify/sign-in-code`, half, spoken.submit),
  ];
}
