import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { readImage } from '../../src/accounts/image.ts';

const file = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../pictures', name));

/** A dot of 12 by 7 pixels, as Chromium's own encoders write it. */
const NAMES = ['dot.png', 'dot.jpeg', 'lossy.webp', 'alpha.webp', 'lossless.webp'];
const [PNG, JPEG, LOSSY, ALPHA, LOSSLESS] = NAMES.map(file) as [Buffer, Buffer, Buffer, Buffer, Buffer];

test('a picture is known by its bytes: PNG, JPEG and WebP, plain and with transparency', () => {
  const size = { width: 12, height: 7 };
  assert.deepEqual(readImage(PNG), { kind: 'image', type: 'image/png', ...size });
  assert.deepEqual(readImage(JPEG), { kind: 'image', type: 'image/jpeg', ...size });
  for (const webp of [LOSSY, ALPHA, LOSSLESS])
    assert.deepEqual(readImage(webp), { kind: 'image', type: 'image/webp', ...size });
});

test('a WebP without the extended head is read by the frame itself', () => {
  for (const [whole, name] of [
    [LOSSY, 'VP8 '],
    [LOSSLESS, 'VP8L'],
  ] as const) {
    const found = readImage(riff(chunkOf(whole, name)));
    assert.deepEqual(found, { kind: 'image', type: 'image/webp', width: 12, height: 7 }, name);
  }
});

test('what is no picture is unknown, whatever it is called', () => {
  for (const text of [
    '',
    'hello',
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'GIF89a',
    '%PDF-1.7',
    'BM',
    '\x89PNG',
    'RIFF',
  ])
    assert.equal(readImage(Buffer.from(text, 'latin1')).kind, 'unknown', text);
});

test('a picture that breaks off anywhere is damaged, and never one', () => {
  for (const whole of [PNG, JPEG, LOSSY, ALPHA, LOSSLESS]) {
    for (let length = 0; length < whole.length; length++) {
      const kind = readImage(whole.subarray(0, length)).kind;
      assert.ok(kind === 'broken' || kind === 'unknown', `${length} of ${whole.length} bytes: ${kind}`);
    }
  }
});

test('a picture that goes on behind its end is damaged, so that nothing else can hide there', () => {
  for (const whole of [PNG, JPEG, LOSSY, ALPHA, LOSSLESS]) {
    assert.equal(readImage(Buffer.concat([whole, Buffer.from('<script>alert(1)</script>')])).kind, 'broken');
    assert.equal(readImage(Buffer.concat([whole, Buffer.alloc(1)])).kind, 'broken');
  }
});

test('a PNG whose bytes were changed anywhere does not agree with its own checksums', () => {
  for (let at = 0; at < PNG.length; at++) {
    const changed = Buffer.from(PNG);
    changed[at] = changed.readUInt8(at) ^ 0x20;
    assert.notEqual(readImage(changed).kind, 'image', `byte ${at}`);
  }
});

test('a PNG has its head first and once, its picture, and its end', () => {
  const head = chunk('IHDR', PNG.subarray(16, 29));
  const data = chunk('IDAT', Buffer.from('x'));
  const end = chunk('IEND', Buffer.alloc(0));
  assert.equal(png(head, data, end), 'image');
  for (const wrong of [[data, end], [head, end], [head, data], [head, head, data, end], [data, head, end], []])
    assert.equal(png(...wrong), 'broken');
  assert.equal(png(chunk('IHDR', PNG.subarray(16, 28)), data, end), 'broken');
  assert.equal(png(head, data, chunk('IEND', Buffer.alloc(1))), 'broken');
  assert.equal(png(chunk('IHDR', Buffer.alloc(13)), data, end), 'broken', 'no pixel at all');
  assert.equal(png(head, chunk('acTL', Buffer.alloc(8)), data, end), 'moving');
});

test('a JPEG has one frame before its scan, of a kind that browsers draw', () => {
  const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 3]);
  const end = Buffer.from([0xff, 0xd9]);
  for (const marker of [0xc0, 0xc1, 0xc2]) assert.equal(jpeg(frame(marker), scan, end), 'image');
  assert.equal(jpeg(Buffer.from([0xff, 0xff]), frame(0xc0), scan, end), 'image', 'fill bytes');
  for (const marker of [0xc3, 0xc9, 0xcf, 0xd8, 0xd0, 0x01, 0x00])
    assert.equal(jpeg(frame(marker), scan, end), 'broken');
  assert.equal(jpeg(frame(0xc0), frame(0xc0), scan, end), 'broken');
  assert.equal(jpeg(scan, end), 'broken');
  assert.equal(jpeg(frame(0xc0), scan), 'broken');
  assert.equal(jpeg(frame(0xc0), end), 'broken');
  assert.equal(jpeg(frame(0xc0, 0), scan, end), 'broken');
  assert.equal(jpeg(Buffer.from([0xff, 0xe1, 0, 1]), frame(0xc0), scan, end), 'broken', 'a length below its own');
  assert.equal(jpeg(Buffer.from([0xff, 0xe1, 0xff, 0xff]), frame(0xc0), scan, end), 'broken', 'a length over the end');
});

test('a WebP has the length that it says', () => {
  for (const more of [-2, 2, 2 ** 31]) {
    const wrong = Buffer.from(LOSSY);
    wrong.writeUInt32LE(LOSSY.readUInt32LE(4) + more, 4);
    assert.equal(readImage(wrong).kind, 'broken', `${more} bytes more`);
  }
});

test('a WebP says one size, holds one picture, and stands still', () => {
  const head = (content: Buffer): Buffer => riffChunk('VP8X', content);
  const dot = chunkOf(LOSSY, 'VP8 ');
  assert.equal(readImage(riff(head(canvas(12)), dot)).kind, 'image');
  assert.equal(readImage(riff(head(canvas(13)), dot)).kind, 'broken');
  assert.equal(readImage(riff(head(canvas(12)), dot, dot)).kind, 'broken');
  assert.equal(readImage(riff(head(canvas(12)))).kind, 'broken');
  assert.equal(readImage(riff(head(Buffer.alloc(9)), dot)).kind, 'broken');
  assert.equal(readImage(riff(riffChunk('EXIF', Buffer.from('x')), dot)).kind, 'broken');
  assert.equal(readImage(riff(head(canvas(12, 2)), dot)).kind, 'moving');
  assert.equal(readImage(riff(head(canvas(12)), riffChunk('ANIM', Buffer.alloc(6)), dot)).kind, 'moving');
  const late = Buffer.from(dot);
  late[8] = late.readUInt8(8) | 1;
  assert.equal(readImage(riff(late)).kind, 'broken', 'not a key frame');
});

test('whatever bytes come, the answer is a picture with two sides or none, and never a fault', () => {
  const heads = [PNG, JPEG, LOSSY, ALPHA, LOSSLESS];
  const change = fc.record({ at: fc.nat(700), cut: fc.nat(20), put: fc.uint8Array({ maxLength: 20 }) });
  fc.assert(
    fc.property(fc.constantFrom(...heads), fc.array(change, { minLength: 1, maxLength: 4 }), (whole, changes) => {
      const bytes = changes.reduce(
        (now, { at, cut, put }) => Buffer.concat([now.subarray(0, at), put, now.subarray(at + cut)]),
        whole,
      );
      const found = readImage(bytes);
      if (found.kind === 'image') assert.ok(found.width > 0 && found.height > 0);
    }),
    { numRuns: 5_000 },
  );
});

function chunk(name: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), content]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(content.length);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

function riffChunk(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

function riff(...chunks: Buffer[]): Buffer {
  return riffChunk('RIFF', Buffer.concat([Buffer.from('WEBP'), ...chunks]));
}

/** A chunk of a WebP, with its head. */
function chunkOf(webp: Buffer, name: string): Buffer {
  const at = webp.indexOf(name, 12, 'latin1');
  const length = webp.readUInt32LE(at + 4);
  return webp.subarray(at, at + 8 + length + (length % 2));
}

/** The kind of a PNG of these chunks. */
function png(...chunks: Buffer[]): string {
  return readImage(Buffer.concat([PNG.subarray(0, 8), ...chunks])).kind;
}

/** The kind of a JPEG of these segments. */
function jpeg(...parts: Buffer[]): string {
  return readImage(Buffer.concat([Buffer.from([0xff, 0xd8]), ...parts])).kind;
}

/** The head of a JPEG's frame. */
function frame(marker: number, height = 7): Buffer {
  return Buffer.from([0xff, marker, 0, 11, 8, 0, height, 0, 12, 1, 1, 0x11, 0]);
}

/** The head of an extended WebP, 7 pixels high. */
function canvas(width: number, flags = 0): Buffer {
  return Buffer.from([flags, 0, 0, 0, width - 1, 0, 0, 6, 0, 0]);
}
