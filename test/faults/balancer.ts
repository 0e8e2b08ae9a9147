import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What stands before several servers and knows nothing of HTTP: each connection goes to the next one that takes it. */
export class Balancer {
  readonly ports: number[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #turn = 0;

  private constructor() {
    this.#server = createServer((near) => {
      this.#keep(near);
      this.#tryFrom(near, this.#turn++, this.ports.length);
    });
  }

  static async open(): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tryFrom(near: Socket, turn: number, left: number): void {
    const port = this.ports[turn % this.ports.length];
    if (port === undefined || left === 0) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    const next = (): void => this.#tryFrom(near, turn + 1, left - 1);
    far.once('error', next);
    far.once('connect', () => {
      far.off('error', next);
      this.#keep(far);
      near.pipe(far);
      far.pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => this.#open.delete(socket));
  }
}
