import { seenAt } from '../accounts/clock.ts';
import { clockIsBehind } from '../auth/limits.ts';
import { schemaState } from '../db/migrate.ts';
import { anyone } from './guards.ts';
import { route, type Route } from './routes.ts';

/** What machines ask: is the process alive, and can it do its work? Neither tells anything about anybody. */
export const machineRoutes: readonly Route[] = [
  route('GET', '/healthz', anyone, (visit) => visit.json({ status: 'alive' })),
  route('GET', '/readyz', anyone, async (visit) => {
    const { db, log } = visit.installation;
    const { now } = visit;
    try {
      const schema = await schemaState(db);
      if (schema.kind !== 'current') return visit.json({ status: 'not ready', schema: schema.kind }, 503);
      if (clockIsBehind(now, await seenAt(db)))
        return visit.json({ status: 'not ready', schema: schema.kind, clock: 'behind' }, 503);
      return visit.json({ status: 'ready', schema: schema.kind });
    } catch (fault) {
      log.error('not ready', { reason: String(fault) });
      return visit.json({ status: 'not ready', database: 'unreachable' }, 503);
    }
  }),
];
