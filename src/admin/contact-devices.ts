import { html } from 'hono/html';
import { removeDevice, trustedDevices, type TrustedDevice } from '../auth/trusted-devices.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, barred, contactPath, doneAt } from './console.ts';

/** The devices on which a contact is not asked for a code, each with its end; nothing where there is none. */
export async function deviceTable(visit: Visit, { who, contact }: AtContact): Promise<c.Html> {
  const devices = await trustedDevices(visit.installation.db, contact, visit.now);
  if (devices.length === 0) return c.nothing;
  const mayEnd = barred(who, 'end sessions') === undefined;
  const removal = (device: TrustedDevice): c.Html => {
    const named = `Remove: ${deviceOf(device)}, ${device.address}, of ${contact.name}`;
    return c.form(contactPath(contact, `/devices/${device.id}/remove`), c.button('Remove', { kind: 'link', named }));
  };
  const table = c.dataTable({
    id: `devices-${contact.id}`,
    caption: `Where ${contact.name} skips the code`,
    columns: [
      { label: 'Device' },
      { label: 'Place' },
      { label: 'Last used' },
      ...(mayEnd ? [{ label: 'Remove', hidden: true }] : []),
    ],
    rows: devices.map((device) => [
      deviceOf(device),
      c.ltr(device.address),
      c.time(device.lastUsedAt, who.organization),
      ...(mayEnd ? [removal(device)] : []),
    ]),
  });
  return html`<p>Asked for no code, only for the password, on:</p>
    ${table}`;
}

export async function remove(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const removed = await removeDevice(visit.installation, actorOf(visit, at.who), at.contact, visit.param('device'));
  const text = removed ? `${at.contact.name} is asked for a code there.` : 'That device was not trusted any more.';
  return doneAt(visit, at, text);
}
