import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { documentsOf, importDocuments, type Document } from '../../src/accounts/documents.ts';
import { acme } from '../acme.ts';
import { eachEngine, openWorld } from '../world.ts';

const INVOICE: Document = {
  kind: 'invoice',
  number: 'INV-1',
  title: 'November',
  date: '2026-11-01',
  amount: '1250.00',
  currency: 'EUR',
  status: 'open',
  url: 'https://billing.test/1',
};

eachEngine('documents', (engine) => {
  test('imported twice stand there once, as the second file says', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    const file = [INVOICE, { ...INVOICE, number: 'INV-2', date: '2026-11-15' }].map((line) => ({
      ...line,
      customerId: globex.id,
    }));
    const paid = file.map((line) => ({ ...line, status: 'paid', url: null }));
    assert.equal(await importDocuments(world.installation, OPERATOR, organization.id, file), 2);
    assert.equal(await importDocuments(world.installation, OPERATOR, organization.id, file), 2);
    assert.deepEqual(
      (await documentsOf(world.db, organization.id, globex.id)).map((line) => ({ ...line })),
      [{ ...INVOICE, number: 'INV-2', date: '2026-11-15' }, INVOICE],
    );
    await importDocuments(world.installation, OPERATOR, organization.id, paid);
    const [newest, oldest] = await documentsOf(world.db, organization.id, globex.id);
    assert.deepEqual([newest?.status, oldest?.status, oldest?.url], ['paid', 'paid', null]);
  });

  test('of one customer are never shown to another, nor to one of another merchant', async () => {
    await using world = await openWorld(engine);
    const { organization, globex, initech } = await world.acme();
    const other = await acme(world.installation, 'rival');
    await importDocuments(world.installation, OPERATOR, organization.id, [{ ...INVOICE, customerId: globex.id }]);
    assert.deepEqual(await documentsOf(world.db, organization.id, initech.id), []);
    assert.deepEqual(await documentsOf(world.db, other.organization.id, globex.id), []);
    assert.equal((await documentsOf(world.db, organization.id, globex.id)).length, 1);
  });

  test('with one line for a customer that is not there leave nothing of the file', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    const other = await acme(world.installation, 'rival');
    const file = [
      { ...INVOICE, customerId: globex.id },
      { ...INVOICE, number: 'INV-2', customerId: other.globex.id },
    ];
    await assert.rejects(importDocuments(world.installation, OPERATOR, organization.id, file));
    assert.deepEqual(await documentsOf(world.db, organization.id, globex.id), []);
  });

  test('leave one audit row a file, which counts the lines', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    await importDocuments(world.installation, OPERATOR, organization.id, [{ ...INVOICE, customerId: globex.id }]);
    const rows = (await world.rows('audit_rows')).filter(({ action }) => action === 'documents.imported');
    assert.deepEqual(
      rows.map(({ details }) => details),
      ['{"documents":1}'],
    );
  });
});
