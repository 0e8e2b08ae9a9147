import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { start } from '../browser/program.ts';
import { stage, enrolled, inside } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';
import { FORM } from './siege.ts';
import { write } from './wire.ts';

const FORGED = '{"level":30,"msg":"signed in","account":"ada"}';
const ESCAPES = '\u001b[2J\u001b]0;evil\u0007\u009b31m\u2028\u202e';

test('log injection: whatever is sent, the log is one line of JSON an event, and nobody else’s words are in it (ASVS 16.4.1, 16.2.4)', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sallyport-log-'));
  try {
    await using server = await start('serve', { SALLYPORT_DATA: data });
    const typed = encodeURIComponent(`x\r\n${FORGED}\n${ESCAPES}`);
    const targets = [
      `/portal/${typed}/sign-in`,
      `/setup/${typed}`,
      `/${typed}`,
      `/admin/customers/${typed}?q=${typed}`,
    ];
    for (const target of [...targets, '/admin/sign-in']) {
      for (const method of ['GET', 'POST', 'EVIL\u001b', 'PROPFIND']) {
        const headers: [string, string][] = [
          ['User-Agent', `evil\t${FORGED} \u009b31m`],
          ['X-Forwarded-For', `1.2.3.4${FORGED}`],
          ['Referer', `http://localhost/${FORGED}`],
          ['Cookie', `sallyport-admin=${typed}`],
          ['Sec-Fetch-Site', 'same-origin'],
          ['Content-Type', FORM],
        ];
        const body = method === 'POST' ? `email=${typed}%40x.test&password=${typed}` : '';
        await write(server.origin, { method, target, headers, body });
      }
    }
    const { output } = await server.program.stop();
    const lines = output.split('\n').filter((line) => line.startsWith('{') || line.includes('level'));
    assert.ok(lines.length >= 10, 'the refusals are logged');
    for (const line of lines) {
      const event = JSON.parse(line) as { msg: string; time: string; level: number };
      assert.ok(event.msg && event.level && !Number.isNaN(Date.parse(event.time)), line);
      assert.doesNotMatch(line, /evil|signed in|account/, line);
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u202e]/u, JSON.stringify(line));
    }
  } finally {
    rmSync(data, { recursive: true });
  }
});

eachEngine('log injection through what is kept (ASVS 16.4.1)', (engine) => {
  test('is none in the audit log: a note has no control characters, and a browser’s name is in no row', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria, { userAgent: `evil ${FORGED}` }));
    const ada = await inside(guest(people.ada));
    const path = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
    await ada.browser.post(path, { check: 'other', note: `called her\r\n${FORGED}${ESCAPES}` });
    const rows = await world.audit(people.maria);
    const reset = rows.find(({ action }) => action === 'mfa.reset');
    assert.match(reset?.reason ?? '', /called her\n\{"level"/);
    assert.doesNotMatch(reset?.reason ?? '', /[^\P{Cc}\n]/u);
    for (const row of rows.filter(({ action }) => action !== 'mfa.reset'))
      assert.doesNotMatch(JSON.stringify(row), /evil/);
  });
});
