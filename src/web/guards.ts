import type { Role } from '../accounts/accounts.ts';
import { findOrganization, findOrganizationBySlug, type Organization } from '../accounts/organizations.ts';
import { may, type Permission } from '../accounts/staff.ts';
import { findChallenge, type Challenge, type FoundChallenge, type Surface } from '../auth/challenges.ts';
import { endedByIdleness, findSession, refreshSession, type Session } from '../auth/sessions.ts';
import { SESSION_LIFETIMES } from '../auth/limits.ts';
import { say } from '../words/say.ts';
import { forbiddenPage, notFoundPage } from './errors.ts';
import type { Guard } from './routes.ts';
import type { Flash } from './flash.ts';
import type { Visit } from './visit.ts';

/** One of the two entrances: an organization's portal, or the console of all of them. */
export interface Door {
  readonly surface: Surface;
  /** The path its pages stand under, without a slash at the end. */
  readonly base: string;
  /** At the console nobody knows whose it is before the password. */
  readonly organization: Organization | undefined;
}

export interface HalfSignedIn {
  readonly door: Door & { readonly organization: Organization };
  readonly challenge: Challenge;
}

export interface SignedIn {
  readonly organization: Organization;
  readonly session: Session;
  /** The session's own cookie, for signing out and for being renewed. */
  readonly cookie: string;
}

/** Anybody, signed in or not: machine pages, one-time links, the front page. */
export const anyone: Guard<undefined> = { who: 'anyone', admit: async () => undefined };

/** Anybody at a door that exists. */
export function atDoor(surface: Surface): Guard<Door> {
  return {
    who: 'anyone',
    admit: async (visit) => {
      if (surface === 'admin') return { surface, base: '/admin', organization: undefined };
      const organization = await findOrganizationBySlug(visit.installation.db, visit.param('slug'));
      return organization ? { surface, base: `/portal/${organization.slug}`, organization } : notFoundPage(visit);
    },
  };
}

/** Whoever has given the right password and owes a code: a sign-in challenge, and nothing else. */
export function halfSignedIn(surface: Surface): Guard<HalfSignedIn> {
  return challenged(surface, 'half signed in', ['sign-in'], '/enable-mfa');
}

/** Whoever is in the ceremony of enabling MFA, from the first page to Continue to Sign In. */
export function enrolling(surface: Surface): Guard<HalfSignedIn> {
  return challenged(surface, 'enrolling', ['enrolment', 'recovery', 'backup-codes'], '/verify');
}

function challenged(
  surface: Surface,
  who: string,
  purposes: readonly Challenge['purpose'][],
  otherwise: string,
): Guard<HalfSignedIn> {
  return {
    who,
    admit: async (visit) => {
      const door = await atDoor(surface).admit(visit);
      if (door instanceof Response) return door;
      const cookie = visit.challengeCookie(surface);
      const found =
        cookie === undefined ? undefined : await findChallenge(visit.installation.db, surface, cookie, visit.now);
      if (found?.kind !== 'open') return backToSignIn(visit, door, found);
      const { challenge } = found;
      visit.isOf(challenge.account);
      const organization = await findOrganization(visit.installation.db, challenge.account.organizationId);
      if (!organization || (door.organization && door.organization.id !== organization.id))
        return backToSignIn(visit, door, undefined);
      if (!purposes.includes(challenge.purpose)) return visit.see(`${door.base}${otherwise}`);
      return { door: { ...door, organization }, challenge };
    },
  };
}

/**
 * To the sign-in page, with the e-mail and the reason where a challenge of this very door has died. Whoever began it
 * inside is there still, unless that is why it is over: back to where they began.
 */
function backToSignIn(visit: Visit, door: Door, dead: FoundChallenge | undefined): Response {
  const ours = dead?.kind === 'dead' && (!door.organization || door.organization.id === dead.organizationId);
  if (!ours) return visit.see(`${door.base}/sign-in`);
  visit.forgetChallenge(door.surface);
  visit.leave(door.surface, { ...deathNotice(dead), email: dead.email });
  return visit.see(`${door.base}${isUndone(dead) ? '/security' : '/sign-in'}`);
}

type Dead = Extract<FoundChallenge, { kind: 'dead' }>;

function isUndone({ aim, purpose, reason }: Dead): boolean {
  return reason !== 'void' && (aim === 'new-codes' || (aim !== null && purpose === 'enrolment'));
}

function deathNotice(dead: Dead): Flash {
  const { reason, purpose, aim } = dead;
  if (isUndone(dead)) return { kind: 'info', text: say(aim === 'new-codes' ? 'mfa.codes.over' : 'mfa.inside.over') };
  // Continue was pressed twice, or the ten minutes ran out: MFA is on all the same.
  if (purpose === 'backup-codes' && reason !== 'void') return { kind: 'ok', text: say('mfa.done.text') };
  if ((purpose === 'enrolment' || purpose === 'recovery') && reason === 'expired')
    return { kind: 'warn', text: say('login.setup-expired') };
  const keys = {
    expired: 'login.expired',
    exhausted: 'login.spent',
    void: 'login.void',
    over: 'login.replaced',
  } as const;
  return { kind: 'warn', text: say(keys[reason]) };
}

/** A contact with a session at this very portal. */
export const contact: Guard<SignedIn> = {
  who: 'contact',
  admit: async (visit) => {
    const door = await atDoor('portal').admit(visit);
    return door instanceof Response ? door : ((await signedIn(visit, door)) ?? (await signInFirst(visit, door)));
  },
};

/** The same for programs: 401 instead of a way to the sign-in page. */
export const contactOr401: Guard<SignedIn> = {
  who: 'contact or 401',
  admit: async (visit) => {
    const door = await atDoor('portal').admit(visit);
    return door instanceof Response
      ? door
      : ((await signedIn(visit, door)) ?? visit.json({ error: 'not signed in' }, 401));
  },
};

/** What staff who came in by a backup code may do until they have their authenticator back. */
const AFTER_BACKUP_CODE: readonly Permission[] = ['read'];

/**
 * Staff whose role may do this. `unattended` is for what a page asks for by itself: that somebody has it open keeps
 * nobody signed in (ASVS 7.3.1).
 */
export function staff(permission: Permission, { unattended = false } = {}): Guard<SignedIn & { readonly role: Role }> {
  return {
    who: `staff who may ${permission}`,
    admit: async (visit) => {
      const door = { surface: 'admin', base: '/admin', organization: undefined } as const;
      const found = await signedIn(visit, door, { unattended });
      if (!found) return signInFirst(visit, door);
      const { role } = found.session.account;
      if (role === null || !may(role, permission)) return forbiddenPage(visit, `Your role may not ${permission}.`);
      if (found.session.provenBy === 'backup-code' && !AFTER_BACKUP_CODE.includes(permission)) {
        return forbiddenPage(
          visit,
          'You signed in with a backup code, so you can only look. Sign in with your authenticator app to change things.',
        );
      }
      return { ...found, role };
    },
  };
}

/** Who is signed in at a door with this browser, or undefined. */
export async function signedIn(visit: Visit, door: Door, { unattended = false } = {}): Promise<SignedIn | undefined> {
  const { installation, now } = visit;
  const cookie = visit.sessionCookie(door.surface);
  if (cookie === undefined) return undefined;
  const session = await findSession(installation.db, door.surface, cookie, now);
  const organizationId = session?.account.organizationId;
  if (!session || (door.organization && door.organization.id !== organizationId)) return undefined;
  visit.isOf(session.account);
  const organization = await findOrganization(installation.db, session.account.organizationId);
  if (!organization) return undefined;
  if (!unattended) await refreshSession(installation.db, session, now);
  return { organization, session, cookie };
}

async function signInFirst(visit: Visit, door: Door): Promise<Response> {
  const cookie = visit.sessionCookie(door.surface);
  if (cookie !== undefined && (await endedByIdleness(visit.installation.db, door.surface, cookie, visit.now))) {
    const minutes = SESSION_LIFETIMES[door.surface].idleMs / 60_000;
    visit.leave(door.surface, { kind: 'info', text: say('login.ended', { n: minutes }) });
    visit.signOut(door.surface);
  }
  return visit.see(`${door.base}/sign-in`);
}
