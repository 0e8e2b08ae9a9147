import { hashToken } from '../../src/crypto/tokens.ts';
import type { Finding } from './checker.ts';
import type { Ledger, Sent } from './ledger.ts';
import type { Tables } from './tables.ts';

/** What clients were told and the database does not know, and what they were refused and got all the same. */
export function* lostFacts({ sessions, challenges, log }: Tables, ledger: Ledger): Iterable<Finding> {
  const challengeOf = new Map(challenges.map((challenge) => [challenge.tokenHash, challenge]));
  const bought = new Map(sessions.map((session) => [session.challengeId, session]));
  const sessionOf = ({ challenge }: Sent): Tables['sessions'][number] | undefined =>
    bought.get(challengeOf.get(hashToken(tokenOf(challenge)))?.id ?? null);
  for (const sent of ledger.sent) {
    const session = sessionOf(sent);
    const whose = `account ${sent.accountId} by ${sent.code}`;
    if (sent.outcome === 'right' && session?.tokenHash !== hashToken(tokenOf(sent.session ?? '')))
      yield { kind: 'fact lost', sentence: `the session that was given to ${whose} is not there` };
    if (sent.outcome === 'refused' && session)
      yield { kind: 'session without proof', sentence: `${whose} was refused, and has a session all the same` };
  }
  for (const [code, sendings] of Map.groupBy(ledger.sent, (sent) => `${sent.code} of account ${sent.accountId}`)) {
    const opened = new Set(sendings.map(sessionOf).filter((session) => session !== undefined));
    if (opened.size > 1) yield { kind: 'code accepted twice', sentence: `${code} opened ${opened.size} sessions` };
  }
  const rows = Map.groupBy(log, ({ targetId, action, result }) => `${action} ${result} of account ${targetId}`);
  const told = Map.groupBy(
    ledger.facts,
    ({ accountId, action, result }) => `${action} ${result} of account ${accountId}`,
  );
  for (const [fact, acknowledged] of told) {
    const recorded = rows.get(fact)?.length ?? 0;
    if (recorded < acknowledged.length)
      yield {
        kind: 'fact lost',
        sentence: `${fact}: ${acknowledged.length} were acknowledged, ${recorded} are recorded`,
      };
  }
}

function tokenOf(cookie: string): string {
  return cookie.split('.', 2)[1] ?? '';
}
