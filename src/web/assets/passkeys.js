// Passkeys, by the browser's own API: asks the server for options, lets the person choose, and sends an ordinary form.

const able = ['parseCreationOptionsFromJSON', 'parseRequestOptionsFromJSON'].every(
  (name) => name in (globalThis.PublicKeyCredential ?? {}),
);
const forms = [...document.querySelectorAll('form[data-passkey]')];

// The offer in the list of addresses waits for as long as the page stands. One dialog at a time: a press ends it.
let offer;
let busy = false;

function tell(form, text) {
  const line = form.querySelector('[role=status]');
  // Emptied first, so that the same words are announced a second time too.
  line.textContent = '';
  setTimeout(() => (line.textContent = text), 50);
}

async function options(form) {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(form.dataset.options, { method: 'POST', headers, redirect: 'manual' });
  return { status: answer.status, asked: answer.ok ? await answer.json() : undefined };
}

async function choose(form, asked, how) {
  const { credentials } = navigator;
  const credential =
    form.dataset.passkey === 'create'
      ? await credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked), ...how })
      : await credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked), ...how });
  form.elements.response.value = JSON.stringify(credential);
  // A box of another form that is meant for this one too.
  const { trust } = form.elements;
  if (trust?.type === 'hidden') trust.value = document.querySelector('#trust')?.checked ? 'on' : '';
  form.submit();
}

async function press(form) {
  if (busy) return;
  busy = true;
  offer?.abort();
  try {
    const { status, asked } = await options(form);
    if (asked) await choose(form, asked);
    else if (status === 429) tell(form, form.dataset.limited);
    // Signed out meanwhile, or too long ago for this: the page itself knows the way.
    else location.reload();
  } catch (fault) {
    tell(form, fault.name === 'InvalidStateError' ? form.dataset.already : form.dataset.cancelled);
  } finally {
    busy = false;
  }
}

async function offerIn(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  const { asked } = await options(form);
  if (!asked || busy) return;
  offer = new AbortController();
  await choose(form, asked, { mediation: 'conditional', signal: offer.signal });
}

if (able) {
  for (const form of forms) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void press(form);
    });
    // Nobody asked for it yet, so nobody is told when nothing comes of it.
    if ('autofill' in form.dataset) offerIn(form).catch(() => undefined);
  }
  for (const text of document.querySelectorAll('[data-unable]')) text.hidden = true;
}
