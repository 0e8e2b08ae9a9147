import type { Hono } from 'hono';
import { smallBodiesOnly, wholeBodiesOnly } from './security.ts';
import { Visit, type OpenHouse } from './visit.ts';

/**
 * Who may come in. A guard either answers the request itself or admits a visitor; what it admits is the type that the
 * handler receives, so a handler behind the wrong guard does not compile. `who` names it for the tests' matrix.
 */
export interface Guard<Admitted> {
  readonly who: string;
  admit(visit: Visit): Promise<Admitted | Response>;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly who: string;
  /** The most bytes of a body, for a route that takes a file; all others take a form of the usual size. */
  readonly bodyMax?: number;
  readonly answer: (visit: Visit) => Promise<Response>;
}

/** One line of a site map: method, path, guard, handler. There is no way to write one without a guard. */
export function route<Admitted>(
  method: Route['method'],
  path: string,
  guard: Guard<Admitted>,
  handler: (visit: Visit, admitted: Admitted) => Promise<Response> | Response,
  larger: Pick<Route, 'bodyMax'> = {},
): Route {
  return {
    ...larger,
    method,
    path,
    who: guard.who,
    answer: async (visit) => {
      const admitted = await guard.admit(visit);
      return admitted instanceof Response ? admitted : handler(visit, admitted);
    },
  };
}

/** Hangs the routes into the server. A body is let through to the guard whole, or not at all where it may be large. */
export function mount(server: Hono, house: OpenHouse, routes: readonly Route[]): void {
  for (const { method, path, answer, bodyMax } of routes) {
    if (bodyMax === undefined) server.on(method, path, smallBodiesOnly, wholeBodiesOnly);
    server.on(method, path, (context) => answer(new Visit(context, house, bodyMax)));
  }
}
