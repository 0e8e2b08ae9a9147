import { schemaState } from '../db/migrate.ts';
import { anyone } from './guards.ts';
import { route, type Route } from './routes.ts';

/** What machines ask: is the process alive, and can it do its work? Neither tells anything about anybody. */
export const machineRoutes: readonly Route[] = [
  route('GET', '/healthz', anyone, (visit) => visit.json({ status: 'alive' })),
  route('GET', '/readyz', anyone, async (visit) => {
    const { db, log } = visit.installation;
    try {
      const schema = await schemaState(db);
      const ready = schema.kind === 'current';
      return visit.json({ status: ready ? 'ready' : 'not ready', schema: schema.kind }, ready ? 200 : 503);
    } catch (fault) {
      log.error('not ready', { reason: String(fault) });
      return visit.json({ status: 'not ready', database: 'unreachable' }, 503);
    }
  }),
];
