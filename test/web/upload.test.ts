import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createApp } from '../../src/app.ts';
import { RequestRefused } from '../../src/web/forms.ts';

import { route, type Guard } from '../../src/web/routes.ts';
import { readUpload, type Upload } from '../../src/web/upload.ts';
import { openWorld } from '../world.ts';

const TYPE = 'multipart/form-data; boundary=----edge';
const FIELDS = ['name', 'accent'] as const;

function read(body: string | Buffer, type = TYPE): Upload<(typeof FIELDS)[number]> {
  return readUpload(type, Buffer.from(body), 'logo', FIELDS);
}

function refused(status: number, body: string | Buffer, type?: string): void {
  const isRefused = (fault: unknown): boolean => fault instanceof RequestRefused && fault.status === status;
  assert.throws(() => read(body, type), isRefused, body.toString().slice(0, 300));
}

/** A part as browsers write it. */
function part(name: string, content: string, more = ''): string {
  return `------edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
}

const END = '------edge--\r\n';
const LOGO = '; filename="a.png"\r\nContent-Type: image/png';

test('a form with a file is read as browsers send it', () => {
  const { fields, file } = read(`${part('name', 'Müller & Söhne')}${part('logo', 'PNG\r\n--bytes', LOGO)}${END}`);
  assert.deepEqual(fields, { name: 'Müller & Söhne', accent: '' });
  assert.deepEqual({ ...file, bytes: file?.bytes.toString() }, { name: 'a.png', bytes: 'PNG\r\n--bytes' });
});

test('a field for a file that was left empty is no file, and an empty file is one', () => {
  const empty = '; filename=""\r\nContent-Type: application/octet-stream';
  assert.equal(read(`${part('logo', '', empty)}${END}`).file, undefined);
  assert.equal(read(END).file, undefined);
  assert.equal(read(`${part('logo', '', LOGO)}${END}`).file?.bytes.length, 0);
});

const words = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\0\r\n]/g, ''));

test('whatever people type and whatever bytes a file has go through unharmed', async () => {
  await fc.assert(
    fc.asyncProperty(words, words, words, fc.uint8Array({ maxLength: 500 }), async (name, accent, fileName, bytes) => {
      const form = new FormData();
      form.set('name', name);
      form.set('logo', new File([bytes], `x${fileName.replaceAll('"', '')}`, { type: 'image/svg+xml' }));
      form.set('accent', accent);
      // The platform's own writer: an independent reading of the standard.
      const sent = new Response(form);
      const type = sent.headers.get('content-type') ?? '';
      const { fields, file } = read(Buffer.from(await sent.arrayBuffer()), type);
      assert.deepEqual(fields, { name, accent });
      assert.deepEqual(file?.name, `x${fileName.replaceAll('"', '')}`);
      assert.deepEqual(new Uint8Array(file.bytes), bytes);
    }),
  );
});

test('a field that does not belong to the form, or comes twice, is refused (I13)', () => {
  for (const name of ['account', 'Name', 'name[]', 'name.x', '', '__proto__', 'constructor', 'toString', 'logo2'])
    refused(400, `${part(name, 'a')}${END}`);
  refused(400, `${part('name', 'a')}${part('name', 'a')}${END}`);
  refused(400, `${part('logo', 'a', LOGO)}${part('logo', 'b', LOGO)}${END}`);
  refused(400, `${part('logo', '', '; filename=""')}${part('logo', 'b', LOGO)}${END}`);
});

test('a file in the place of a text and a text in the place of a file are refused', () => {
  refused(400, `${part('name', 'a', LOGO)}${END}`);
  refused(400, `${part('logo', 'a')}${END}`);
});

test('NUL and broken UTF-8 are refused in names and texts, and are only bytes in a file', () => {
  refused(400, `${part('name', 'a\0b')}${END}`);
  refused(400, `${part('name\0', 'a')}${END}`);
  refused(400, `${part('logo', 'a', '; filename="a\0.png"')}${END}`);
  refused(400, Buffer.from(`${part('name', '\xff')}${END}`, 'latin1'));
  refused(400, Buffer.from(`${part('logo', 'a', '; filename="\xff.png"')}${END}`, 'latin1'));
  const { file } = read(Buffer.from(`${part('logo', '\0\xff', LOGO)}${END}`, 'latin1'));
  assert.deepEqual(file?.bytes, Buffer.from([0, 255]));
});

test('what two readers could understand differently is refused', () => {
  const good = part('name', 'a');
  const odd = [
    '',
    '------edge',
    '------edge\r\n',
    good,
    `preamble\r\n${good}${END}`,
    `\r\n${good}${END}`,
    `${good}${END}epilogue`,
    `${good}${END}${good}${END}`,
    good.replace('\r\n', '\n') + END,
    good.replace('\r\n\r\n', '\r\n') + END,
    good.replace('------edge\r\n', '------edge \r\n') + END,
    good.replace('form-data', 'attachment') + END,
    good.replace('"name"', 'name') + END,
    good.replace('name="name"', 'filename="x"; name="name"') + END,
    good.replace('name="name"', 'name="name"; name="accent"') + END,
    good.replace('name="name"', 'name="name"; filename*=UTF-8\'\'a.png') + END,
    good.replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n') + END,
    good.replace('\r\n\r\n', '\r\nContent-Disposition: form-data; name="accent"\r\n\r\n') + END,
    `${part('name', 'a\r\n------edgeling')}${END}`,
    `${good}------edge-\r\n`,
  ];
  for (const body of odd) refused(400, body);
});

test('a thousand parts and a head without end are given up at the first that is too much', () => {
  refused(400, part('name', 'a').repeat(1_000) + END);
  refused(400, `${part('name', 'a', `; filename="${'x'.repeat(3_000)}"`)}${END}`);
  refused(400, `------edge\r\n${'X-Long: x\r\n'.repeat(100_000)}`);
});

test('texts are held to the size of any other form, whatever the file may be', () => {
  assert.equal(read(`${part('name', 'x'.repeat(16 * 1024))}${END}`).fields.name.length, 16 * 1024);
  refused(413, `${part('name', 'x'.repeat(16 * 1024))}${part('accent', 'x')}${END}`);
});

test('another content type or one without a boundary is refused', () => {
  const types = [
    '',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=----edge; boundary=x',
    'multipart/form-data; boundary="----edge"',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    'multipart/form-data; boundary=a b',
    'multipart/mixed; boundary=----edge',
    'text/html, multipart/form-data; boundary=----edge',
  ];
  for (const type of types) refused(415, `${part('name', 'a')}${END}`, type);
});

test('whatever is changed in a body, it is read within the rules or refused, and a refusal repeats nothing of it', () => {
  const good = Buffer.from(`${part('name', 'hunter2')}${part('logo', 'hunter2', LOGO)}${END}`);
  const change = fc.record({ at: fc.nat(good.length), cut: fc.nat(40), put: fc.uint8Array({ maxLength: 20 }) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const body = changes.reduce(
        (now, { at, cut, put }) => Buffer.concat([now.subarray(0, at), put, now.subarray(at + cut)]),
        good,
      );
      try {
        assert.deepEqual(Object.keys(read(body).fields), [...FIELDS]);
      } catch (fault) {
        assert.ok(fault instanceof RequestRefused, String(fault));
        assert.doesNotMatch(fault.message, /hunter/);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('only a route that says so takes a large body, only of whom it admits, and no more than it says', async () => {
  await using world = await openWorld('sqlite');
  const nobody: Guard<undefined> = { who: 'nobody', admit: async (visit) => visit.see('/elsewhere') };
  const anybody: Guard<undefined> = { who: 'anybody', admit: async () => undefined };
  const larger = { bodyMax: 100_000 };
  const app = createApp(world.house(), [
    route('POST', '/taking', anybody, async (visit) => visit.json(await visit.upload('logo', 'name')), larger),
    route('POST', '/closed', nobody, async (visit) => visit.json(await visit.upload('logo', 'name')), larger),
    route('POST', '/small', anybody, async (visit) => visit.json(await visit.form('name'))),
  ]);
  const pulled = { bytes: 0 };
  const send = async (path: string, size: number, told: boolean, type = TYPE): Promise<number> => {
    const body = Buffer.from(`${part('logo', 'x'.repeat(size), LOGO)}${END}`);
    const chunks = body.toString('latin1').match(/[^]{1,8192}/g) ?? [];
    pulled.bytes = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          const chunk = Buffer.from(chunks.shift() ?? '');
          pulled.bytes += chunk.length;
          return chunk.length > 0 ? controller.enqueue(chunk) : controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const length = told ? { 'content-length': String(body.length) } : {};
    const headers = { 'content-type': type, 'sec-fetch-site': 'same-origin', ...length };
    const { status } = await app.request(`${world.publicUrl}${path}`, {
      method: 'POST',
      headers,
      body: stream,
      duplex: 'half',
    });
    return status;
  };
  for (const told of [true, false]) {
    assert.equal(await send('/taking', 99_000, told), 200);
    assert.equal(await send('/taking', 100_001, told), 413);
    assert.equal(await send('/small', 17_000, told), 413);
    assert.equal(await send('/taking', 17_000, told, 'application/x-www-form-urlencoded'), 413);
    assert.equal(await send('/closed', 99_000, told), 303);
    assert.equal(pulled.bytes, 0, 'nothing is read of what a guard turns away');
  }
  assert.equal(await send('/taking', 10_000_000, false), 413);
  assert.ok(pulled.bytes < 110_000, `${pulled.bytes} bytes were read of what is too large`);
});
