// How long it takes to write the letters of a bulk reset into the outbox, and to send them to a server that takes them at
// once: node bench/letters.ts [contacts].
import { performance } from 'node:perf_hooks';
import { OPERATOR, recordAll } from '../src/accounts/audit.ts';
import { sql } from '../src/db/db.ts';
import { openSender } from '../src/mail/sender.ts';
import type { Handed } from '../src/mail/post.ts';
import { createContact } from '../src/accounts/contacts.ts';
import { openWorld } from '../test/world.ts';

const contacts = Number(process.argv[2] ?? 2_000);
await using world = await openWorld('sqlite', { mailIsOn: true });
const { globex } = await world.acme();
for (let n = 0; n < contacts; n++)
  await createContact(world.installation, OPERATOR, globex.organizationId, globex.id, {
    name: `Contact ${n}`,
    email: `contact${n}@globex.test`,
    phone: null,
  });
const rows = await world.db.all<{ id: string }>(
  sql`SELECT id FROM accounts WHERE organization_id = ${globex.organizationId}`,
);

let began = performance.now();
const facts = rows.map(({ id }) => ({
  organizationId: globex.organizationId,
  actor: OPERATOR,
  action: 'mfa.reset' as const,
  targetId: id,
  reason: 'they begin anew',
}));
await world.db.transaction((tx) => recordAll(tx, world.installation, facts));
console.log(`${rows.length} letters written in ${Math.round(performance.now() - began)} ms`);

const accepted: Promise<Handed> = Promise.resolve({ kind: 'accepted', answer: '250 ok' });
const open = () => ({ reach: () => accepted, handIn: () => accepted, close: () => undefined });
const sender = openSender(world.installation, { publicUrl: world.publicUrl, from: 'portal@acme.test', open });
began = performance.now();
const sent = await sender.turn();
console.log(`${sent} letters sent in ${Math.round(performance.now() - began)} ms`);
