import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MailFacts, MailKind } from '../../src/accounts/outbox.ts';
import type { Organization } from '../../src/accounts/organizations.ts';
import { sql } from '../../src/db/db.ts';
import { htmlOf, textOf } from '../../src/mail/layout.ts';
import { draftOf } from '../../src/mail/letters.ts';
import { en } from '../../src/words/en.ts';
import type { Person } from '../acme.ts';
import { deliver, linkIn, openMailbox } from '../mailbox.ts';
import { openWorld, START, type World } from '../world.ts';
import { writes } from './sending.ts';

const MAIL = { mailIsOn: true };

const VARIANTS = ['not-me-told', 'set-up-now'];
const KINDS = Object.keys(en)
  .flatMap((key) => /^mail\.subject\.(.+)$/.exec(key)?.[1] ?? [])
  .filter((kind) => !VARIANTS.includes(kind)) as MailKind[];

const FACTS: MailFacts = {
  at: START,
  by: 'self',
  address: '203.0.113.9',
  userAgent:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
};

interface Written {
  readonly kind: MailKind;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Every kind of letter to somebody, as it is written. */
async function everyLetter(
  world: World,
  organization: Organization,
  person: Person,
  facts: MailFacts = FACTS,
): Promise<Written[]> {
  const account = await world.account(person);
  return Promise.all(
    KINDS.map(async (kind) => {
      const draft = draftOf({ kind, facts, to: person.email, publicUrl: world.publicUrl, organization, account });
      return { kind, subject: draft.subject, text: textOf(draft), html: await htmlOf(draft) };
    }),
  );
}

test('every letter says what, when in the organization’s own time zone, with what device and from where', async () => {
  await using world = await openWorld('sqlite');
  const { organization, maria } = await world.acme();
  const lagos = { ...organization, timeZone: 'Africa/Lagos' };
  for (const { kind, text, html } of await everyLetter(world, lagos, maria)) {
    if (kind === 'digest') continue;
    for (const written of [text, html]) {
      assert.match(written, /24 November 2026 at 10:00 (GMT\+1|WAT)/, kind);
      assert.match(written, /Chrome on Windows/, kind);
      assert.match(written, /203\.0\.113\.9/, kind);
    }
    assert.match(html, /^<!doctype html>\s*<html lang="en" dir="auto">/, kind);
  }
});

test('every letter loads nothing, and holds no link but the plain address and its own', async () => {
  await using world = await openWorld('sqlite');
  const { organization, maria, ada } = await world.acme();
  const pages = ['cancel-request', 'new-password', 'welcome', 'confirm-email', 'confirm-enrolment'];
  for (const [person, base] of [
    [maria, 'https://sallyport.test/portal/acme'],
    [ada, 'https://sallyport.test/admin'],
  ] as const) {
    const tokens = { ...FACTS, token: 't0', notMeToken: 't1' };
    const allowed = new Set([base, `${base}.`, `${base}/not-me/t1`, ...pages.map((page) => `${base}/${page}/t0`)]);
    for (const { kind, text, html } of await everyLetter(world, organization, person, tokens)) {
      for (const url of text.match(/https?:\/\/\S+/g) ?? []) assert.ok(allowed.has(url), `${kind}: ${url}`);
      for (const [, url = ''] of html.matchAll(/href="([^"]*)"/g)) assert.ok(allowed.has(url), `${kind}: ${url}`);
      assert.doesNotMatch(
        html,
        /<(img|script|link|iframe|object|form)|url\(|@import|src=|background|<a [^>]*mailto/i,
        kind,
      );
      assert.doesNotMatch(html, /(margin|padding|text-align|float):?-?(left|right)/, kind);
    }
  }
});

test('a letter whose kind has no link holds no token, whatever its facts say', async () => {
  await using world = await openWorld('sqlite');
  const { organization, maria } = await world.acme();
  const written = await everyLetter(world, organization, maria, { ...FACTS, token: 'must-not-be-seen' });
  const linked = written.filter(({ text, html }) => `${text}${html}`.includes('must-not-be-seen'));
  assert.deepEqual(
    linked.map(({ kind }) => kind).toSorted((a, b) => a.localeCompare(b)),
    ['confirm-email', 'confirm-enrolment', 'invitation', 'new-password', 'recovery-asked'],
  );
});

test('Eve, whose name is a header, an element or a line of its own, writes none of them', async () => {
  await using world = await openWorld('sqlite', MAIL);
  await using mailbox = await openMailbox();
  const { organization, maria, sam, eve } = await world.acme();
  const name = 'Acme\r\nBcc: eve@evil.test\r\n\r\n<img src=x>\u202egnp.exe';
  await world.change(sql`UPDATE organizations SET name = ${name} WHERE id = ${organization.id}`);
  await world.change(sql`UPDATE accounts SET name = ${`Sam\nX-Evil: 1\n<b>`} WHERE id = ${sam.id}`);
  await writes(world, maria, 'mfa-reset', { at: START, by: 'staff', staffId: sam.id });
  await writes(world, eve, 'new-device', {
    at: START,
    userAgent: 'Bcc: a@b.test\r\n<script>',
    address: '\r\nBcc: c@d.test',
  });
  await deliver(world, mailbox);
  assert.equal(mailbox.letters.length, 2);
  for (const { headers, html, text, to } of mailbox.letters) {
    const names = headers.map(({ key }) => key);
    assert.deepEqual(
      names.filter((key) => ['bcc', 'x-evil', 'cc'].includes(key)),
      [],
    );
    assert.ok([maria.email, eve.email].includes(to));
    assert.doesNotMatch(html, /<(img|b|script)\b/);
    assert.doesNotMatch(text, /^(Bcc|X-Evil):/m);
    assert.doesNotMatch(`${text}${html}`, /\u202e/);
  }
});

test('a letter to an address that looks like two goes to nobody, and an address with other letters arrives', async () => {
  await using world = await openWorld('sqlite', MAIL);
  await using mailbox = await openMailbox();
  const { maria, noor } = await world.acme();
  await world.change(sql`UPDATE accounts SET email = 'maria@globex.test, eve@evil.test' WHERE id = ${maria.id}`);
  await world.change(sql`UPDATE accounts SET email = 'noor@bücher.test' WHERE id = ${noor.id}`);
  await writes(world, maria, 'test');
  await writes(world, noor, 'test');
  await deliver(world, mailbox);
  assert.deepEqual(
    mailbox.letters.map(({ to }) => to),
    ['noor@bücher.test'],
  );
});

test('a link begins with the address of the configuration, and leads to the portal of its own organization', async () => {
  await using world = await openWorld('sqlite', { ...MAIL, publicUrl: 'https://portal.example.com' });
  await using mailbox = await openMailbox();
  const { maria, ada } = await world.acme();
  await writes(world, maria, 'new-password', { token: 'abc_-123' });
  await writes(world, ada, 'invitation', { token: 'def' });
  const letters = await deliver(world, mailbox);
  assert.deepEqual(
    letters.map(linkIn).toSorted((a, b) => a.localeCompare(b)),
    ['https://portal.example.com/admin/welcome/def', 'https://portal.example.com/portal/acme/new-password/abc_-123'],
  );
});
