import assert from 'node:assert/strict';
import { connect } from 'node:net';

/** One answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; a header that came twice stands there twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

// Asked for behind everything else: its answer and the end of the connection say that all before it was dealt with.
const LAST = 'GET /healthz HTTP/1.1\r\nHost: sallyport.test\r\nConnection: close\r\n\r\n';
const PATIENCE_MS = 1_500;
const HUNG_MS = 20_000;

/**
 * Sends bytes over a connection of its own and answers what came back until the server closed it. A server that waits
 * for more than was sent is told after a moment that nothing follows; one that then keeps the connection is a fault.
 */
export async function send(port: number, bytes: Buffer, hangsUp: boolean): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const came: Buffer[] = [];
  const socket = connect(port, '127.0.0.1');
  const giveUp = setTimeout(() => socket.end(), PATIENCE_MS);
  const hung = setTimeout(() => {
    reject(new Error('the server keeps a connection on which nothing follows'));
    socket.destroy();
  }, HUNG_MS);
  socket.on('data', (chunk: Buffer) => void came.push(chunk));
  // A reset is how a server refuses the rest of what was sent.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(giveUp);
    clearTimeout(hung);
    resolve(Buffer.concat(came));
  });
  socket.write(bytes);
  if (hangsUp) socket.end();
  else socket.write(LAST);
  return promise;
}

/** Reads answers strictly as RFC 9112 has them: anything between or behind them is a fault of the server. */
export function answersIn(bytes: Buffer, methods: readonly string[], cutOff: boolean): Answer[] {
  const answers: Answer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0 && cutOff) break;
    assert.ok(end > 0, `that is no answer: ${preview(rest)}`);
    const [line = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const [, code] = /^HTTP\/1\.1 (\d{3}) [ -~]*$/.exec(line) ?? [];
    assert.ok(code, `that is no status line: ${preview(rest)}`);
    const headers = lines.map(readHeader);
    const status = Number(code);
    const hasNone = status < 200 || status === 204 || status === 304 || methods[answers.length] === 'HEAD';
    const read = hasNone ? { body: '', length: 0 } : readBody(rest.subarray(end + 4), headers);
    if (!read && cutOff) break;
    assert.ok(read, `an answer breaks off: ${preview(rest)}`);
    if (status >= 200) answers.push({ status, headers, body: read.body });
    rest = rest.subarray(end + 4 + read.length);
  }
  return answers;
}

function readHeader(line: string): [string, string] {
  const [, name = '', value = ''] =
    /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\u0020-\u007e\u0080-\u00ff]*)$/.exec(line) ?? [];
  assert.notEqual(name, '', `that is no header: ${JSON.stringify(line)}`);
  return [name.toLowerCase(), value];
}

function readBody(bytes: Buffer, headers: Answer['headers']): { body: string; length: number } | undefined {
  const lengths = headers.filter(([name]) => name === 'content-length');
  const chunked = headers.some(([name, value]) => name === 'transfer-encoding' && value === 'chunked');
  assert.ok(lengths.length <= 1 && !(lengths.length === 1 && chunked), 'an answer says its length twice');
  if (chunked) return readChunks(bytes);
  // Without either, the answer ends with the connection.
  const length = lengths[0] ? Number(lengths[0][1]) : bytes.length;
  return length <= bytes.length ? { body: bytes.subarray(0, length).toString(), length } : undefined;
}

function readChunks(bytes: Buffer): { body: string; length: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, end).toString(), 16);
    assert.ok(size >= 0, 'a chunk has no size');
    const next = end + 2 + size + 2;
    if (next > bytes.length) return undefined;
    if (size === 0) return { body: Buffer.concat(parts).toString(), length: next };
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = next;
  }
}

function preview(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 200).toString('latin1'));
}
