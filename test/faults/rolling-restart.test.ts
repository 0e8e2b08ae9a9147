import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../database.ts';
import { check, sentences } from './checker.ts';
import { until, within } from './deadline.ts';
import { Fleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { Traffic } from './traffic.ts';

const SERVERS = 3;
const CUSTOMERS = 90;
const PER_SECOND = 8;

test('three servers, each stopped and started anew under sign-ins: not one of them fails', async (t) => {
  const database = await testDatabase('postgres', true);
  try {
    await using fleet = await Fleet.open(database.place);
    const customers = await fleet.enrol(CUSTOMERS);
    await fleet.start(SERVERS);
    const ledger = new Ledger();
    const traffic = new Traffic(() => fleet.port, customers, ledger);
    const stop = new AbortController();
    const flowing = traffic.steadily(PER_SECOND, stop.signal);
    try {
      await until(60_000, 'Traffic', async () => traffic.letIn >= PER_SECOND / 2);
      await fleet.roll();
      const letIn = traffic.letIn;
      await until(60_000, 'Traffic after the restarts', async () => traffic.letIn >= letIn + PER_SECOND / 2);
    } finally {
      stop.abort();
      await within(30_000, 'The end of the traffic', flowing);
    }
    t.diagnostic(`${traffic.letIn} sign-ins`);
    assert.deepEqual(traffic.failures, []);
    assert.deepEqual(sentences(await fleet.look((installation) => check(installation, ledger))), []);
  } finally {
    await database.remove();
  }
});
