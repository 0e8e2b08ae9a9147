import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { findOrganization, saveGeneralSettings, signEveryoneOut } from '../../src/accounts/organizations.ts';
import { setPortalAccess, unlock } from '../../src/auth/access.ts';
import { cancelOwn } from '../../src/auth/asking-for-help.ts';
import { beginReplacement, removeApp, renameApp } from '../../src/auth/authenticators.ts';
import { confirmEmailChange } from '../../src/auth/change-email.ts';
import { changePassword } from '../../src/auth/change-password.ts';
import { endOneSession, signOutElsewhere, signOutEverywhere } from '../../src/auth/end-sessions.ts';
import { enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { turnMfaOff } from '../../src/auth/mfa-off.ts';
import { makeNewCodes } from '../../src/auth/new-codes.ts';
import { chooseNewPassword } from '../../src/auth/new-password.ts';
import { disownByLink, disownBySession } from '../../src/auth/not-me.ts';
import { removePasskey } from '../../src/auth/passkeys.ts';
import { setPassword } from '../../src/auth/passwords.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { approve, refuse } from '../../src/auth/recovery-requests.ts';
import { answerWithSignInCode } from '../../src/auth/sign-in-codes.ts';
import { removeDevice } from '../../src/auth/trusted-devices.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { answers, home, provesAnother, refound, pendingOf } from '../acme.ts';
import { actorFor } from '../help.ts';
import { eachEngine } from '../world.ts';
import { alive, everything, NEW_ADDRESS, told, type Everything } from './everything.ts';

const NEW_PASSWORD = 'eleven lamps over harbour';
const CHECKED = { check: 'called-number-on-file', note: '' } as const;

interface Event {
  readonly name: string;
  readonly policy?: 'optional';
  readonly act: (scene: Everything) => Promise<unknown>;
  /** What the act answers where it was done. */
  readonly done: unknown;
}

/** Every event that may end something of an account's. What it ends, tells and records stands in docs/sign-in.md. */
const EVENTS: readonly Event[] = [
  {
    name: 'a right code of the app',
    act: async ({ world, half, secrets }) => {
      world.clock.advance(STEP_MS);
      return (await answers(world.installation, half, world.codeFor(secrets[0] ?? new Uint8Array()))).kind;
    },
    done: 'right',
  },
  {
    name: 'a right backup code',
    act: async ({ world, half, people }) => (await answers(world.installation, half, people.codes[0] ?? '')).kind,
    done: 'right',
  },
  {
    name: 'a wrong code, the first',
    act: async ({ world, half, secrets }) =>
      (await answers(world.installation, half, world.wrongCode(secrets[0] ?? new Uint8Array()))).kind,
    done: 'wrong',
  },
  {
    name: 'another app is enabled',
    act: ({ world, third, maria }) => enable(world.installation, third, home(maria)),
    done: true,
  },
  {
    name: 'the app is replaced',
    act: async ({ world, own, apps, maria }) => {
      const begun = await beginReplacement(world.installation, own, apps[0]?.id ?? '', home(maria));
      assert.ok(begun.kind === 'begun');
      const { challenge } = await provesAnother(world.installation, maria, begun.cookie);
      return enable(world.installation, challenge, home(maria));
    },
    done: true,
  },
  {
    name: 'one of two apps is removed',
    act: ({ world, own, apps, maria }) => removeApp(world.installation, own, apps[1]?.id ?? '', home(maria)),
    done: { kind: 'removed' },
  },
  {
    name: 'an app is renamed',
    act: ({ world, own, apps, maria }) =>
      renameApp(world.installation, own, apps[0]?.id ?? '', 'Old phone', home(maria)),
    done: true,
  },
  {
    name: 'Get new backup codes',
    act: async ({ world, own, maria }) => (await makeNewCodes(world.installation, own, home(maria))).kind,
    done: 'made',
  },
  {
    name: 'Turn off MFA',
    policy: 'optional',
    act: ({ world, own, maria }) => turnMfaOff(world.installation, own, home(maria)),
    done: { kind: 'off' },
  },
  {
    name: 'a passkey is removed',
    act: ({ world, own, passkey, maria }) => removePasskey(world.installation, own, passkey.id, home(maria)),
    done: true,
  },
  {
    name: 'a trusted device is removed',
    act: ({ world, maria, deviceId }) => removeDevice(world.installation, actorFor(maria), maria, deviceId),
    done: true,
  },
  {
    name: 'the password is changed inside',
    act: async ({ world, own, maria }) =>
      (await changePassword(world.installation, own, NEW_PASSWORD, [], home(maria))).kind,
    done: 'changed',
  },
  {
    name: 'a new password by a mailed link',
    act: ({ world, maria, links }) =>
      chooseNewPassword(world.installation, maria.organizationId, links['new-password'], NEW_PASSWORD, [], 'home'),
    done: { kind: 'set' },
  },
  {
    name: 'a new password at the shell',
    act: async ({ world, maria }) =>
      setPassword(world.installation, OPERATOR, await world.account(maria), NEW_PASSWORD, []),
    done: undefined,
  },
  {
    name: 'the e-mail address is changed by a mailed link',
    act: ({ world, maria, links }) =>
      confirmEmailChange(world.installation, maria.organizationId, links['confirm-email'], home(maria)),
    done: { kind: 'changed', email: NEW_ADDRESS },
  },
  {
    name: 'the e-mail address is changed by staff',
    act: async ({ world, maria, people }) => {
      const contact = await findContact(world.db, maria.organizationId, people.globex.id, maria.id);
      assert.ok(contact);
      const draft = { name: contact.name, email: NEW_ADDRESS, phone: null };
      return (await changeContact(world.installation, actorFor(people.sam), contact, draft)).kind;
    },
    done: 'saved',
  },
  {
    name: '“This wasn’t me”, inside',
    act: async ({ world, own, maria }) => (await disownBySession(world.installation, own, home(maria))).kind,
    done: 'done',
  },
  {
    name: '“This wasn’t me”, from a letter',
    act: async ({ world, maria, links }) =>
      (await disownByLink(world.installation, maria.organizationId, links['not-me'], home(maria))).kind,
    done: 'done',
  },
  {
    name: 'Reset Portal MFA',
    act: async ({ world, maria, people: { sam } }) =>
      resetMfa(world.installation, actorFor(sam), await world.account(sam), await world.account(maria), CHECKED),
    done: { kind: 'reset' },
  },
  {
    name: 'a request for help is approved',
    act: async ({ world, request, people: { sam } }) =>
      approve(world.installation, actorFor(sam), await world.account(sam), request, CHECKED),
    done: { kind: 'done' },
  },
  {
    name: 'a request for help is refused',
    act: async ({ world, request, people: { sam } }) =>
      refuse(world.installation, actorFor(sam), await world.account(sam), request, 'Nobody answered the phone'),
    done: { kind: 'done' },
  },
  {
    name: 'a request for help is cancelled',
    act: ({ world, half, maria }) => cancelOwn(world.installation, half, home(maria)),
    done: true,
  },
  {
    name: 'a sign-in code is used',
    act: async ({ world, half, spoken, maria }) =>
      (await answerWithSignInCode(world.installation, half, spoken, home(maria))).kind,
    done: 'right',
  },
  {
    name: 'the new app behind a sign-in code is enabled',
    act: async ({ world, half, spoken, maria }) => {
      const answered = await answerWithSignInCode(world.installation, half, spoken, home(maria));
      assert.ok(answered.kind === 'right');
      const challenge = await refound(world.installation, maria, answered.bought.cookie);
      await offer(world.installation, challenge, home(maria));
      const code = world.codeFor((await pendingOf(world.installation, challenge)).secret);
      await verifyEnrolment(world.installation, challenge, code, home(maria));
      return enable(world.installation, challenge, home(maria));
    },
    done: true,
  },
  {
    name: 'Unlock of a stolen password',
    act: async ({ world, maria }) => {
      await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${maria.id}`);
      return unlock(world.installation, OPERATOR, await world.account(maria));
    },
    done: { kind: 'password-removed' },
  },
  {
    name: 'portal access is disabled',
    act: async ({ world, maria }) => setPortalAccess(world.installation, OPERATOR, await world.account(maria), false),
    done: true,
  },
  {
    name: 'Sign out of one other session',
    act: ({ world, maria, otherId }) => endOneSession(world.installation, actorFor(maria), maria, otherId),
    done: true,
  },
  {
    name: 'Sign out everywhere else',
    act: ({ world, maria, own }) => signOutElsewhere(world.installation, actorFor(maria), own),
    done: 1,
  },
  {
    name: 'Sign out everywhere, by staff',
    act: ({ world, maria, people }) => signOutEverywhere(world.installation, actorFor(people.sam), maria),
    done: { sessions: 2, devices: 1 },
  },
  {
    name: 'Sign everyone out',
    act: ({ world, maria }) =>
      signEveryoneOut(world.installation, OPERATOR, maria.organizationId, { contacts: 1, sessions: 2 }),
    done: undefined,
  },
  {
    name: 'MFA is turned off for all customers',
    act: async ({ world, people }) => {
      const today = await findOrganization(world.db, people.organization.id);
      assert.ok(today);
      return (await saveGeneralSettings(world.installation, OPERATOR, today, { policy: 'off' })).kind;
    },
    done: 'saved',
  },
  {
    name: 'trusted devices and passkeys are allowed no longer',
    act: async ({ world, people }) => {
      const today = await findOrganization(world.db, people.organization.id);
      assert.ok(today);
      const choices = { ...today, trustedDeviceDays: null, passkeys: 'off' } as const;
      return saveChoices(world.installation, OPERATOR, today.id, choices);
    },
    done: true,
  },
];

const LIVES = '·';

/** The rows of the table "What ends what", by the name of the event. */
function rowsOfTheDocs(): Map<string, string[]> {
  const text = readFileSync(new URL('../../docs/sign-in.md', import.meta.url), 'utf8');
  const table = text.split('## What ends what')[1]?.split('\n## ')[0] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| '));
  return new Map(
    rows.map((line) => line.split('|').map((cell) => cell.trim())).map((cells) => [cells[1] ?? '', cells.slice(2, -1)]),
  );
}

test('every row of the table in docs/sign-in.md is an event of this test, and every event a row', () => {
  const named = [...rowsOfTheDocs().keys()].slice(2);
  assert.deepEqual(
    named,
    EVENTS.map(({ name }) => name),
  );
});

eachEngine('what ends what', (engine) => {
  for (const { name, policy = 'required', act, done } of EVENTS) {
    test(`${name}: ends, tells and records what docs/sign-in.md says, and nothing else`, async () => {
      await using scene = await everything(engine, policy);
      const { world, maria } = scene;
      const before = await alive(scene);
      const { epoch } = await world.account(maria);
      const already = (await world.audit(maria)).length;
      assert.deepEqual(await act(scene), done);
      const after = await alive(scene);
      const { notices, audit } = await told(scene, already);
      const raised = (await world.account(maria)).epoch - epoch;
      const things = before.map((thing) => (after.includes(thing) ? LIVES : 'ends'));
      const found = [raised === 0 ? '' : `+ ${raised}`, ...things, notices.join(', '), audit.join(', ')];
      assert.deepEqual(found, rowsOfTheDocs().get(name), `| ${[name, ...found].join(' | ')} |`);
    });
  }
});
