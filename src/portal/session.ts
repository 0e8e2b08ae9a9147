import { findCustomer } from '../accounts/customers.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';

/** Who is signed in, and how and when that was proven: for the organization's own programs behind the door. */
export async function show(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const { account } = session;
  const customer = await findCustomer(visit.installation.db, organization.id, account.customerId ?? '');
  return visit.json({
    contact: { id: account.id, name: account.name, email: account.email },
    customer: { id: account.customerId, name: customer?.name },
    organization: organization.slug,
    signedInAt: moment(session.signedInAt),
    provedBy: session.provenBy,
    // Of a second factor: where the account has none, a password that was proven again is no more than that.
    provedAt: session.provedAt === null || session.provenBy === 'password' ? null : moment(session.provedAt),
    expiresAt: moment(session.expiresAt),
  });
}

function moment(ms: number): string {
  return new Date(ms).toISOString();
}
