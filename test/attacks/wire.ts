import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Visitor } from '../visitor.ts';

/** A request as its bytes are: no library puts a path in order, joins headers or counts a length. */
export interface Raw {
  readonly method?: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export interface Heard {
  /** NaN where the server hung up without an answer. */
  readonly status: number;
  readonly head: string;
  readonly location: string | undefined;
  readonly body: string;
}

/** Writes it on a connection of its own and hears the answer out. */
export async function write(url: string, { method = 'GET', target, headers = [], body = '' }: Raw): Promise<Heard> {
  const { port } = new URL(url);
  const socket = connect(Number(port), 'localhost');
  await once(socket, 'connect');
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const own: [string, string][] = [
    ['Host', `localhost:${port}`],
    ['Connection', 'close'],
    ...(given.has('transfer-encoding') || given.has('content-length') || body === ''
      ? []
      : [['Content-Length', String(Buffer.byteLength(body))] as [string, string]]),
  ];
  const lines = [...own.filter(([name]) => !given.has(name.toLowerCase())), ...headers];
  const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  socket.write(Buffer.from(`${head}\r\n\r\n${body}`, 'latin1'));
  return read(await text(socket));
}

function read(answer: string): Heard {
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const location = /^location: (.*)$/im.exec(head)?.[1];
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, location, body: rest.join('\r\n\r\n') };
}

/** A browser's cookies for the plain address that tests listen on, where they go without their prefix. */
export function plainCookies({ cookies }: Visitor): readonly [string, string] {
  return ['Cookie', [...cookies].map(([name, value]) => `${name.replace('__Host-', '')}=${value}`).join('; ')];
}
