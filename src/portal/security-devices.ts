import { html } from 'hono/html';
import { removeDevice, trustedDevices, type TrustedDevice } from '../auth/trusted-devices.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { portalBase } from './frame.ts';

/** The devices on which a contact is not asked for a code; nothing where the organization allows none. */
export async function devicesSection(visit: Visit, { organization, session }: SignedIn): Promise<c.Html> {
  if (organization.trustedDeviceDays === null) return c.nothing;
  const devices = await trustedDevices(visit.installation.db, session.account, visit.now);
  const removal = (device: TrustedDevice): c.Html => {
    const named = say('sec.devices.remove.name', { device: deviceOf(device), place: device.address });
    const button = c.button(say('sec.devices.remove'), { kind: 'link', named });
    return c.form(`${portalBase(organization)}/security/devices/${device.id}/remove`, button);
  };
  const table = c.dataTable({
    id: 'devices',
    caption: say('sec.devices'),
    columns: [
      { label: say('sec.sessions.device') },
      { label: say('sec.sessions.place') },
      { label: say('sec.devices.used') },
      { label: say('sec.devices.until') },
      { label: say('sec.devices.remove'), hidden: true },
    ],
    rows: devices.map((device) => [
      deviceOf(device),
      c.ltr(device.address),
      c.time(device.lastUsedAt, organization),
      c.time(device.until, organization, 'date'),
      removal(device),
    ]),
  });
  const body =
    devices.length === 0
      ? html`<p class="muted">${say('sec.devices.none')}</p>`
      : html`<p class="hint">${say('sec.devices.text')}</p>
          ${table}`;
  return c.section(say('sec.devices'), body);
}

/** POST /security/devices/…/remove. That browser is asked for a code at its next sign-in; its sessions go on. */
export async function remove(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  await visit.form();
  const { account } = session;
  const { address, userAgent } = visit.visitor;
  const actor = { kind: 'account', id: account.id, address, userAgent } as const;
  const removed = await removeDevice(visit.installation, actor, account, visit.param('device'));
  visit.leave('portal', { kind: 'ok', text: say(removed ? 'sec.devices.removed' : 'sec.devices.gone') });
  return visit.see(`${portalBase(organization)}/security`);
}
