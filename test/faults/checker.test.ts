import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { sql, type Sql } from '../../src/db/db.ts';
import { randomToken, uuidv7 } from '../../src/crypto/tokens.ts';
import { answers, challenged, enrol, from, refound, setPolicy, signsIn, type Enrolled, type Person } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { check, sentences } from './checker.ts';
import { Ledger } from './ledger.ts';

/** Two people, one without MFA since before it was required, and what they were told. */
interface Kept {
  readonly world: World;
  readonly ledger: Ledger;
  readonly maria: Person & Enrolled;
  readonly noor: Person;
}

/** What is garbled, how, and a word of each sentence that must tell of it. */
const GARBLED: readonly (readonly [what: string, garble: (kept: Kept) => Sql | (() => void), ...tells: RegExp[]])[] = [
  ['a session without a challenge', forged, /^session without proof: session .+ no challenge/],
  [
    'a session whose challenge is still open',
    () => sql`UPDATE challenges SET consumed_at = NULL WHERE id IN (SELECT challenge_id FROM sessions)`,
    /^session without proof: /,
  ],
  [
    'a session gone, of which its browser was told',
    () => sql`DELETE FROM sessions WHERE factor = 'totp'`,
    /^fact lost: .+ right answers .+ 0 sessions/,
    /^fact lost: the session that was given to/,
  ],
  [
    'a password that opened a session of somebody with MFA',
    ({ maria }) => sql`UPDATE sessions SET factor = 'password' WHERE account_id = ${maria.id}`,
    /^session without proof: .+ somebody with MFA/,
  ],
  [
    'a policy that was required all the while',
    () => sql`UPDATE audit_rows SET details = '{"policy":"required"}' WHERE action = 'policy.changed'`,
    /^session without proof: .+ while MFA was required/,
  ],
  [
    'an app that was right four times within a moment',
    ({ maria }) => sql`INSERT INTO audit_rows
      (organization_id, id, at, actor_kind, actor_id, action, target_id, address, result, reason, details, mac)
      SELECT organization_id, id || n, at, actor_kind, actor_id, action, target_id,
      address, result, reason, details, mac FROM audit_rows, (SELECT 'a' AS n UNION SELECT 'b' UNION SELECT 'c') AS times
      WHERE target_id = ${maria.id} AND action = 'signed-in' AND details LIKE '%totp%' AND result = 'right'`,
    /^code accepted twice: .+ more often than its app had codes/,
  ],
  [
    'a step that nobody has used',
    ({ maria }) => sql`UPDATE authenticators SET last_step = last_step + 3 WHERE account_id = ${maria.id}`,
    /^inconsistent: the last step used/,
  ],
  ['an attempt given back', () => sql`UPDATE challenges SET attempts_left = 5 WHERE attempts_left < 5`, /has spent \d/],
  [
    'a backup code that was used and works again',
    () => sql`UPDATE backup_codes SET used_at = NULL WHERE used_at IS NOT NULL`,
    /^code accepted twice: .+ and 0 used up/,
  ],
  [
    'a backup code that is used and opened nothing',
    ({ world }) => sql`UPDATE backup_codes SET used_at = ${world.clock.now} WHERE used_at IS NULL`,
    /^inconsistent: .+ backup codes of .+ are used/,
  ],
  [
    'an authenticator that nobody enabled',
    () => sql`UPDATE authenticators SET enabled_at = enabled_at + 1 WHERE enabled_at IS NOT NULL`,
    /^inconsistent: nobody enabled/,
  ],
  [
    'four backup codes',
    () => sql`DELETE FROM backup_codes WHERE used_at IS NOT NULL`,
    /4 backup codes instead of five/,
  ],
  [
    'backup codes that nobody generated',
    () => sql`UPDATE backup_code_sets SET created_at = created_at + 1`,
    /^inconsistent: nobody generated/,
  ],
  [
    'a reset that left everything alive',
    ({ maria }) => sql`UPDATE audit_rows SET action = 'mfa.reset' WHERE result = 'wrong' AND target_id = ${maria.id}`,
    /a session outlived a reset/,
    /an authenticator outlived a reset/,
    /a set of codes outlived a reset/,
  ],
  [
    'an epoch set back',
    ({ maria }) => sql`UPDATE accounts SET epoch = 1 WHERE id = ${maria.id}`,
    /is at epoch 1 after 2/,
  ],
  ['a count forgotten', ({ maria }) => sql`UPDATE accounts SET totp_wrong = 0 WHERE id = ${maria.id}`, /totpWrong of/],
  ['a window forgotten', () => sql`UPDATE accounts SET window_wrong = 0`, /windowWrong of/],
  ['a wait made up', () => sql`UPDATE accounts SET backup_wait_until = 1`, /backupWaitUntil of/],
  ['a suspicion made up', () => sql`UPDATE accounts SET suspected_at = 1`, /suspected of/],
  [
    'an audit row changed',
    () => sql`UPDATE audit_rows SET address = 'elsewhere'`,
    /^inconsistent: the audit chain does not verify: .*changed-row/,
  ],
  [
    'a fact of which somebody was told and which is not there',
    ({ ledger, noor }) =>
      () =>
        ledger.told(noor.id, 'mfa.reset'),
    /^fact lost: mfa\.reset done of .+ 1 were acknowledged, 0 are recorded/,
  ],
  [
    'a code that was refused and opened a session',
    ({ ledger }) =>
      () =>
        ledger.sent.splice(0, 1, { ...ledger.sent[0]!, outcome: 'refused' }),
    /^session without proof: .+ was refused/,
  ],
  [
    'a code that opened two sessions',
    ({ ledger }) =>
      () =>
        ledger.sent.splice(0, 1, { ...ledger.sent[0]!, code: ledger.sent[1]!.code }),
    /^code accepted twice: .+ opened 2 sessions/,
  ],
];

eachEngine('the checker', (engine) => {
  test('finds nothing where nothing is amiss', async () => {
    await using world = await openWorld(engine);
    const { ledger } = await lived(world);
    assert.deepEqual(sentences(await check(world.installation, ledger)), []);
  });

  for (const [what, garble, ...tells] of GARBLED)
    test(`finds ${what}`, async () => {
      await using world = await openWorld(engine);
      const kept = await lived(world);
      const change = garble(kept);
      if (typeof change === 'function') change();
      else await world.change(change);
      await tellsOf(kept, tells);
    });
});

test('the checker finds a row that points to nothing', async () => {
  await using world = await openWorld('sqlite');
  const kept = await lived(world);
  const file = new DatabaseSync(world.place, { enableForeignKeyConstraints: false });
  file.exec('DELETE FROM known_addresses; DELETE FROM customers');
  file.close();
  await tellsOf(kept, [/a row of accounts points to no row of customers/]);
});

async function tellsOf({ world, ledger }: Kept, tells: readonly RegExp[]): Promise<void> {
  const found = sentences(await check(world.installation, ledger));
  for (const tell of tells)
    assert.ok(
      found.some((sentence) => tell.test(sentence)),
      `${tell} in\n${found.join('\n')}`,
    );
}

/** Everything that the checker looks at has happened once: sign-ins of each kind, wrong codes, an enrolment. */
async function lived(world: World): Promise<Kept> {
  const { installation } = world;
  const ledger = new Ledger();
  const people = await world.acme();
  await setPolicy(installation, people.organization, 'optional');
  assert.equal((await signsIn(installation, people.noor)).kind, 'signed-in');
  world.clock.advance(MINUTE_MS);
  await setPolicy(installation, people.organization, 'required');
  const maria = { ...people.maria, ...(await enrol(installation, people.maria)) };
  for (const codeOf of [() => world.codeFor(maria.secret), () => maria.codes[0]!]) {
    world.clock.advance(MINUTE_MS);
    await letsIn(world, ledger, maria, codeOf());
  }
  world.clock.advance(MINUTE_MS);
  const challenge = await challenged(installation, maria);
  await answers(installation, challenge, world.wrongCode(maria.secret), from('somewhere'));
  await answers(installation, challenge, '123412341234', from('somewhere'));
  return { world, ledger, maria, noor: people.noor };
}

async function letsIn(world: World, ledger: Ledger, maria: Person, code: string): Promise<void> {
  const { installation } = world;
  const outcome = await signsIn(installation, maria);
  assert.ok(outcome.kind === 'challenge');
  const { cookie } = outcome;
  const answered = await answers(installation, await refound(installation, maria, cookie), code);
  assert.ok(answered.kind === 'right', `her code was found ${answered.kind}`);
  const session = answered.bought.cookie;
  ledger.answered({ accountId: maria.id, code, challenge: cookie, outcome: 'right', session });
}

function forged({ world, maria }: Kept): Sql {
  const { now } = world.clock;
  return sql`INSERT INTO sessions (organization_id, id, account_id, surface, token_hash, epoch, factor, signed_in_at,
      last_used_at, expires_at, address, user_agent)
    VALUES (${maria.organizationId}, ${uuidv7(now)}, ${maria.id}, 'portal', ${randomToken()}, 1, 'totp', ${now}, ${now},
      ${now + MINUTE_MS}, '', '')`;
}
