import { doorRoutes } from '../door/routes.ts';
import { anyone, atDoor, contact, contactOr401 } from '../web/guards.ts';
import { route, type Route } from '../web/routes.ts';
import * as brand from './brand.ts';
import * as confirmEmail from './confirm-email.ts';
import * as checkApp from './check-app.ts';
import * as front from './front.ts';
import * as home from './home.ts';
import * as offer from './mfa-offer.ts';
import * as activity from './security-activity.ts';
import * as apps from './security-apps.ts';
import * as codes from './security-codes.ts';
import * as mfaOff from './security-mfa-off.ts';
import * as sessions from './security-sessions.ts';
import * as notMe from './not-me.ts';
import * as email from './security-email.ts';
import * as password from './security-password.ts';
import * as security from './security.ts';
import * as passkeys from './security-passkeys.ts';
import * as devices from './security-devices.ts';
import * as session from './session.ts';

/** The portal's site map: the door, and what stands behind it. */
export const portalRoutes: readonly Route[] = [
  route('GET', '/', anyone, front.show),
  route('GET', '/.well-known/change-password', anyone, front.changePassword),
  route('GET', '/.well-known/passkey-endpoints', anyone, front.passkeyEndpoints),
  ...doorRoutes('portal'),
  route('GET', '/portal/:slug/theme.css', atDoor('portal'), brand.theme),
  route('GET', '/portal/:slug/logo', atDoor('portal'), brand.logo),
  route('GET', '/portal/:slug', contact, home.enter),
  route('GET', '/portal/:slug/home', contact, home.show),
  route('GET', '/portal/:slug/check-app', contact, checkApp.show),
  route('POST', '/portal/:slug/check-app', contact, checkApp.submit),
  route('GET', '/portal/:slug/security', contact, security.show),
  route('GET', '/portal/:slug/security/enable-mfa', contact, offer.confirm),
  route('POST', '/portal/:slug/security/enable-mfa', contact, offer.begin),
  route('GET', '/portal/:slug/security/passkeys/add', contact, passkeys.showAdd),
  route('POST', '/portal/:slug/security/passkeys/add', contact, passkeys.add),
  route('POST', '/portal/:slug/security/passkeys/add/options', contact, passkeys.addOptions),
  route('GET', '/portal/:slug/security/passkeys/:passkey/rename', contact, passkeys.showRename),
  route('POST', '/portal/:slug/security/passkeys/:passkey/rename', contact, passkeys.rename),
  route('GET', '/portal/:slug/security/passkeys/:passkey/remove', contact, passkeys.showRemove),
  route('POST', '/portal/:slug/security/passkeys/:passkey/remove', contact, passkeys.remove),
  route('GET', '/portal/:slug/security/authenticators/new', contact, apps.addPage),
  route('POST', '/portal/:slug/security/authenticators/new', contact, apps.add),
  route('POST', '/portal/:slug/security/authenticators/:authenticator/replace', contact, apps.replace),
  route('GET', '/portal/:slug/security/authenticators/:authenticator/rename', contact, apps.renamePage),
  route('POST', '/portal/:slug/security/authenticators/:authenticator/rename', contact, apps.rename),
  route('GET', '/portal/:slug/security/authenticators/:authenticator/remove', contact, apps.removePage),
  route('POST', '/portal/:slug/security/authenticators/:authenticator/remove', contact, apps.remove),
  route('GET', '/portal/:slug/security/backup-codes', contact, codes.ask),
  route('POST', '/portal/:slug/security/backup-codes', contact, codes.make),
  route('GET', '/portal/:slug/security/turn-off-mfa', contact, mfaOff.ask),
  route('POST', '/portal/:slug/security/turn-off-mfa', contact, mfaOff.turnOff),
  route('GET', '/portal/:slug/security/sessions', contact, sessions.show),
  route('POST', '/portal/:slug/security/sessions/end-others', contact, sessions.endOthers),
  route('POST', '/portal/:slug/security/sessions/:session/end', contact, sessions.end),
  route('GET', '/portal/:slug/security/activity', contact, activity.show),
  route('POST', '/portal/:slug/security/devices/:device/remove', contact, devices.remove),
  route('GET', '/portal/:slug/security/password', contact, password.show),
  route('POST', '/portal/:slug/security/password', contact, password.submit),
  route('GET', '/portal/:slug/security/email', contact, email.show),
  route('POST', '/portal/:slug/security/email', contact, email.submit),
  route('GET', '/portal/:slug/confirm-email/:token', atDoor('portal'), confirmEmail.show),
  route('POST', '/portal/:slug/confirm-email/:token', atDoor('portal'), confirmEmail.submit),
  route('GET', '/portal/:slug/security/not-me', contact, notMe.askInside),
  route('POST', '/portal/:slug/security/not-me', contact, notMe.submitInside),
  route('GET', '/portal/:slug/not-me/:token', atDoor('portal'), notMe.show),
  route('POST', '/portal/:slug/not-me/:token', atDoor('portal'), notMe.submit),
  route('GET', '/portal/:slug/session', contactOr401, session.show),
];
