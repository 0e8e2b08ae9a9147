import { html } from 'hono/html';
import { relyingParty, type RelyingParty } from '../auth/webauthn.ts';
import { say } from '../words/say.ts';
import { assetUrl } from './assets.ts';
import { attr, button, type ButtonKind, type Html, nothing } from './components.ts';
import type { Visit } from './visit.ts';

export interface PasskeyForm {
  readonly action: string;
  /** Where script asks for the options, each time anew. */
  readonly options: string;
  readonly label: string;
  readonly kind?: ButtonKind;
  /** Makes a passkey, where others use one. */
  readonly makes?: boolean;
  readonly fields?: Html;
  /** Offers passkeys in the list of addresses too, where a field has `autocomplete="username webauthn"`. */
  readonly autofill?: boolean;
  /** What stands in its place where a browser cannot do it, and where there is no script. */
  readonly unable?: string;
}

/**
 * A form that the browser's own dialog fills in: it posts like any other, with what the browser answered as JSON. Hidden
 * until script has found that it can be done.
 */
export function passkeyForm(p: PasskeyForm): Html {
  const cancelled = say(p.makes ? 'passkey.add.cancelled' : 'passkey.use.cancelled');
  return html`<form
      method="post"
      action="${p.action}"
      novalidate
      hidden
      data-says
      data-passkey="${p.makes ? 'create' : 'get'}"
      data-options="${p.options}"
      data-cancelled="${cancelled}"
      data-limited="${say('passkey.limited')}"
      ${attr('data-already', p.makes && say('passkey.add.already'))}${attr('data-autofill', p.autofill)}
    >
      ${p.fields ?? nothing}<input type="hidden" name="response" />${button(p.label, { kind: p.kind ?? 'main' })}
      <p class="said" role="status"></p>
    </form>
    ${p.unable ? html`<p data-unable>${p.unable}</p>` : nothing}
    <script type="module" src="${assetUrl('passkeys.js')}"></script>`;
}

/** Who asks for passkeys on the pages of an organization. */
export function askedBy(visit: Visit, { name }: { readonly name: string }): RelyingParty {
  return relyingParty(visit.house.publicUrl, name);
}
