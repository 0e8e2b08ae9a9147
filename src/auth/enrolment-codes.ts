import { HAS_MFA, type Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { fingerprint, randomDigits } from '../crypto/tokens.ts';
import { RolledBack, sql } from '../db/db.ts';
import { spendWithin } from './counters.ts';
import {
  ENROLMENT_CODE_DIGITS,
  ENROLMENT_CODE_LIFETIME_MS,
  ENROLMENT_CODES_BY_AGENT,
  TRIES_PER_ENROLMENT_CODE,
} from './limits.ts';
import { mayResetNow, NOTE_MIN, reasonText, type Agent, type ResetReason } from './recovery.ts';

export type CodeMade =
  /** To be shown once; until then it works. */
  | { kind: 'made'; code: string; until: number }
  /** The contact has MFA, no password or no access, or the organization asks for no confirmation. */
  | { kind: 'not-asked-for' }
  | { kind: 'note-missing' }
  | { kind: 'limited'; until: number }
  | { kind: 'not-allowed' };

/**
 * Makes the one-time code by which a contact confirms a new authenticator in place of the mailed link: for whoever has
 * checked that it is the person, and with how. It replaces an earlier one and opens nothing by itself: the password and a
 * proven authenticator come first. 53 random bits, kept as a keyed hash (NIST SP 800-63B-4 asks 40 of a binding code, and ten
 * minutes at most). The caller has asked for a fresh proof.
 */
export function makeEnrolmentCode(
  installation: Installation,
  actor: Actor,
  agent: Agent,
  contact: Account,
  reason: ResetReason,
): Promise<CodeMade> {
  const { organizationId, id } = contact;
  return installation.db.transaction<CodeMade>(async (tx) => {
    const now = installation.now();
    if (reason.check === 'other' && reason.note.trim().length < NOTE_MIN)
      return new RolledBack<CodeMade>({ kind: 'note-missing' });
    // The account's lock, so that the epoch that the code carries is the one of now.
    await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId} AND id = ${id}`);
    if (!(await mayResetNow(tx, agent, contact))) return new RolledBack<CodeMade>({ kind: 'not-allowed' });
    const asked = await tx.one<{ epoch: number }>(sql`SELECT a.epoch FROM accounts a
      JOIN organizations o ON o.id = a.organization_id
      WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND a.kind = 'contact' AND a.disabled_at IS NULL
        AND a.password IS NOT NULL AND o.enrolment_confirmation = 'required' AND NOT ${HAS_MFA}`);
    if (!asked) return new RolledBack<CodeMade>({ kind: 'not-asked-for' });
    const subject = fingerprint(installation.counterKey, organizationId, agent.id);
    const room = await spendWithin(tx, { limit: ENROLMENT_CODES_BY_AGENT, subject }, now);
    if (!room.ok) return new RolledBack<CodeMade>({ kind: 'limited', until: room.until });
    const code = randomDigits(ENROLMENT_CODE_DIGITS);
    const until = now + ENROLMENT_CODE_LIFETIME_MS;
    await tx.run(sql`INSERT INTO enrolment_codes (organization_id, account_id, code_hash, epoch, tries_left, expires_at)
      VALUES (${organizationId}, ${id}, ${codeHash(installation, contact, code)}, ${asked.epoch}, ${TRIES_PER_ENROLMENT_CODE}, ${until})
      ON CONFLICT (organization_id, account_id) DO UPDATE SET code_hash = excluded.code_hash, epoch = excluded.epoch,
        tries_left = excluded.tries_left, expires_at = excluded.expires_at`);
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'enrolment-code.made',
      targetId: id,
      reason: reasonText(reason),
    });
    return { kind: 'made', code, until };
  });
}

/** What is stored of a code: keyed, since 53 bits alone could be tried out by whoever has read the table. */
export function codeHash(
  { counterKey }: Pick<Installation, 'counterKey'>,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
  code: string,
): string {
  return fingerprint(counterKey, 'enrolment code', organizationId, id, code);
}
