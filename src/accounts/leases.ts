import { randomToken } from '../crypto/tokens.ts';
import { sql } from '../db/db.ts';
import type { Installation } from './installation.ts';

/** A process's claim to a piece of work that several could do. It saves work twice done and guards nothing. */
export interface Lease {
  /** Takes or renews it; false while another process holds it. */
  readonly take: () => Promise<boolean>;
  /** Gives it up, where it is one's own. */
  readonly giveUp: () => Promise<void>;
}

/** The lease on the work of that name. Taken, it is held for so many milliseconds. */
export function openLease({ db, now }: Installation, name: string, forMs: number): Lease {
  const holder = randomToken();
  return {
    take: async () => {
      const at = now();
      // One that ends later than one taken now comes from a clock that was ahead, and would outlive its holder by as much.
      const taken = await db.relaxed(sql`INSERT INTO leases (name, holder, expires_at)
        VALUES (${name}, ${holder}, ${at + forMs})
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
        WHERE leases.holder = excluded.holder OR leases.expires_at <= ${at} OR leases.expires_at > excluded.expires_at
        RETURNING holder`);
      return taken.length === 1;
    },
    giveUp: async () => {
      await db.relaxed(sql`DELETE FROM leases WHERE name = ${name} AND holder = ${holder}`);
    },
  };
}
