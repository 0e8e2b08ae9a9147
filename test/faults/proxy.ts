import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** How a network fails: everything is swallowed without a word, or every connection is torn. */
export type Cut = 'silent' | 'torn';

/** When it fails: as soon as the server sends this text, which is lost, or after it has arrived, so that the answer is. */
export interface Trap {
  readonly text: string;
  readonly lost: 'request' | 'answer';
}

/** The network between servers and their database, which can be cut and mended. */
export class Proxy {
  readonly #server: Server;
  readonly #target: () => number;
  readonly #pairs = new Set<readonly [near: Socket, far: Socket]>();
  #cut: Cut | undefined;
  #trap: (Trap & { readonly cut: Cut; readonly sprung: () => void }) | undefined;

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((near) => this.#join(near));
  }

  static async open(target: () => number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(how: Cut): void {
    this.#cut = how;
    for (const pair of this.#pairs) this.#cutOff(pair);
  }

  /** Cuts when a text passes; resolves once it has. */
  cutAt(trap: Trap, how: Cut): Promise<void> {
    return new Promise((sprung) => (this.#trap = { ...trap, cut: how, sprung }));
  }

  /** What was swallowed arrives late, as on a real network. */
  mend(): void {
    this.#cut = undefined;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #join(near: Socket): void {
    const far = connect(this.#target(), '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    near.on('data', (bytes: Buffer) => this.#forward(bytes, pair));
    far.on('data', (bytes: Buffer) => near.write(bytes));
    for (const [one, other] of [pair, [far, near] as const])
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          this.#pairs.delete(pair);
          other.destroy();
        });
    this.#cutOff(pair);
  }

  #forward(bytes: Buffer, pair: readonly [near: Socket, far: Socket]): void {
    const trap = this.#trap;
    if (!trap || !bytes.includes(trap.text)) return void pair[1].write(bytes);
    this.#trap = undefined;
    if (trap.lost === 'answer') pair[1].write(bytes);
    // What is swallowed on the way is lost for good: nobody sends it again on a connection that was given up.
    if (trap.lost === 'answer' && trap.cut === 'torn') pair[1].once('data', () => this.cut(trap.cut));
    else this.cut(trap.cut);
    trap.sprung();
  }

  #cutOff([near, far]: readonly [near: Socket, far: Socket]): void {
    if (this.#cut === 'silent') for (const socket of [near, far]) socket.pause();
    if (this.#cut === 'torn') for (const socket of [near, far]) socket.resetAndDestroy();
  }
}
