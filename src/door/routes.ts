import type { Surface } from '../auth/challenges.ts';
import { atDoor, contact, enrolling, halfSignedIn, staff } from '../web/guards.ts';
import { route, type Route } from '../web/routes.ts';
import * as help from './ask-for-help.ts';
import * as cancelling from './cancel-request.ts';
import * as confirm from './confirm.ts';
import * as mfa from './enable-mfa.ts';
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
  const codeUsed =
    surface === 'admin'
      ? route('GET', '/admin/backup-code-used', staff('read'), (visit, { organization, session }) =>
          verify.codeUsed(visit, { surface, base: '/admin', organization }, session.account),
        )
      : route('GET', `${base}/backup-code-used`, contact, (visit, { organization, session }) =>
          verify.codeUsed(visit, { surface, base: `/portal/${organization.slug}`, organization }, session.account),
        );
  return [
    route('GET', `${base}/sign-in`, anyoneHere, signIn.show),
    route('POST', `${base}/sign-in`, anyoneHere, signIn.submit),
    route('POST', `${base}/sign-out`, anyoneHere, signIn.leave),
    route('GET', `${base}/forgot-password`, anyoneHere, signIn.forgotPassword),
    route('GET', `${base}/welcome/:token`, anyoneHere, welcome.show),
    route('POST', `${base}/welcome/:token`, anyoneHere, welcome.submit),
    route('GET', `${base}/verify`, half, verify.show('totp')),
    route('POST', `${base}/verify`, half, verify.submit('totp')),
    route('GET', `${base}/verify/backup-code`, half, verify.show('backup-code')),
    route('POST', `${base}/verify/backup-code`, half, verify.submit('backup-code')),
    route('GET', `${base}/verify/ask-for-help`, half, help.show),
    codeUsed,
    route('GET', `${base}/confirm`, inside, confirm.show),
    route('POST', `${base}/confirm`, inside, confirm.submit),
    route('GET', `${base}/enable-mfa`, ceremony, mfa.start),
    route('POST', `${base}/enable-mfa`, ceremony, mfa.configure),
    route('GET', `${base}/enable-mfa/scan`, ceremony, mfa.scan),
    route('GET', `${base}/enable-mfa/qr.svg`, ceremony, mfa.qr),
    route('GET', `${base}/enable-mfa/verify`, ceremony, mfa.verify),
    route('POST', `${base}/enable-mfa/verify`, ceremony, mfa.prove),
    route('GET', `${base}/enable-mfa/enable`, ceremony, mfa.confirm),
    route('POST', `${base}/enable-mfa/enable`, ceremony, mfa.turnOn),
    route('GET', `${base}/enable-mfa/backup-codes`, ceremony, mfa.codes),
    route('POST', `${base}/enable-mfa/backup-codes`, ceremony, mfa.generate),
    route('POST', `${base}/enable-mfa/backup-codes/download`, ceremony, mfa.download),
    route('POST', `${base}/enable-mfa/done`, ceremony, mfa.done),
    ...(surface === 'portal' ? forContacts(base) : []),
  ];
}

// Staff never put it off, and are helped by their team.
function forContacts(base: string): Route[] {
  const half = halfSignedIn('portal');
  return [
    route('POST', `${base}/enable-mfa/later`, enrolling('portal'), mfa.later),
    route('POST', `${base}/verify/ask-for-help`, half, help.submit),
    route('POST', `${base}/verify/ask-for-help/cancel`, half, help.cancel),
    route('GET', `${base}/cancel-request/:token`, atDoor('portal'), cancelling.show),
    route('POST', `${base}/cancel-request/:token`, atDoor('portal'), cancelling.submit),
    route('GET', `${base}/verify/sign-in-code`, half, spoken.show),
    route('POST', `${base}/verify/sign-in-code`, half, spoken.submit),
  ];
}
