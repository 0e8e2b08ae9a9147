import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { importDocuments } from '../../src/accounts/documents.ts';
import { findOrganizationBySlug, type Organization } from '../../src/accounts/organizations.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { sql } from '../../src/db/db.ts';
import { addStaff, type Person } from '../acme.ts';
import { MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';
import { Somebody, type Seat } from './somebody.ts';
import * as ways from './ways.ts';
import { CODE, ENABLE, FIRST_CODE, Phone } from './ways.ts';

const ADA = { email: 'ada@acme.test', password: 'copper harbour lantern' };
const MARIA = { email: 'maria@globex.test', password: 'violet anchor meadow' };
const NOOR = { email: 'noor@globex.test', password: 'sparrow ember quarry' };

/** The reference flow of the product, from the set-up link to the password alone, by pressing what people press. */
export async function tellTheStory(browser: Browser, engine: Engine, seat: Seat): Promise<void> {
  await using world = await openWorld(engine);
  const story = new Story(world, await world.listen(), seat, {
    ada: await Somebody.at(browser, seat),
    sam: await Somebody.at(browser, seat),
    maria: await Somebody.at(browser, seat),
    noor: await Somebody.at(browser, seat),
  });
  await story.adaSetsUp();
  await story.adaTurnsMfaOn();
  const links = await story.adaAddsGlobex();
  const codes = await story.mariaEnablesMfa(links.maria);
  await story.noorClosesTheTabBeforeTheEnd(links.noor);
  await story.mariaSignsInWithTheNextCode();
  await story.mariaUsesABackupCode(codes);
  await story.samResetsMaria();
  await story.mariaEnrolsAgain();
  await story.adaTurnsMfaOff();
  await story.onlyMariaIsStillAsked();
  await story.adaFreesMaria();
  await story.close();
}

class Story {
  readonly #world: World;
  readonly #origin: string;
  readonly #seat: Seat;
  readonly #ada: Somebody;
  readonly #sam: Somebody;
  readonly #maria: Somebody;
  readonly #noor: Somebody;
  readonly #adaPhone: Phone;
  readonly #samPhone: Phone;
  readonly #mariaPhone: Phone;
  #portal = '';

  constructor(world: World, origin: string, seat: Seat, people: Record<'ada' | 'sam' | 'maria' | 'noor', Somebody>) {
    this.#world = world;
    this.#origin = origin;
    this.#seat = seat;
    this.#ada = people.ada;
    this.#sam = people.sam;
    this.#maria = people.maria;
    this.#noor = people.noor;
    this.#adaPhone = new Phone(world);
    this.#samPhone = new Phone(world);
    this.#mariaPhone = new Phone(world);
  }

  async adaSetsUp(): Promise<void> {
    const ada = this.#ada;
    await ada.go(`${this.#origin}/setup/${await offerSetup(this.#world.installation)}`);
    await ada.arrives('Set up Sallyport');
    await ada.write('Your name', 'Ada Owens');
    await ada.write('Your email', ADA.email);
    await ada.write('Password', ADA.password);
    await ada.write('Organization', 'Acme Billing');
    await ada.write('How can customers reach you?', 'Call us: +1 555 0100');
    await ada.press('Set up');
    await ways.enablesMfa(ada, this.#adaPhone);
    await ways.generatesCodes(ada);
    await ada.write('Password', ADA.password);
    await ada.press('Sign in');
    await ways.givesCode(ada, this.#adaPhone.next());
    await ada.arrives('Overview');
    await ada.sees('Turn on MFA', 'Add a customer', 'Copy the portal link');
  }

  async adaTurnsMfaOn(): Promise<void> {
    const ada = this.#ada;
    await this.#opensGeneral(ada);
    await ada.sees('On: 0 contacts will be asked to set it up at their next sign-in', 'Off: nobody new is asked.');
    assert.equal(await ada.page.getByRole('checkbox').isChecked(), false, 'MFA is off at first');
    await ada.mark('Enable multi-factor authentication (MFA)');
    await ada.press('Save');
    await ada.sees('MFA is on for all customers.');
    assert.equal(await ada.page.getByRole('checkbox').isChecked(), true);
    this.#portal = await ada.page.locator('#address').innerText();
    assert.equal(this.#portal, `${this.#origin}/portal/acme-billing`);
  }

  async adaAddsGlobex(): Promise<{ maria: string; noor: string }> {
    const ada = this.#ada;
    await ada.press('Customers');
    await ada.arrives('Customers');
    await ada.sees('No customers yet.');
    await ada.press('Add customer');
    await ada.arrives('Add customer');
    await ada.write('Customer name', 'Globex');
    await ada.write('Name', 'Maria Silva');
    await ada.write('Email', MARIA.email);
    await ada.write('Phone (optional)', '+44 20 7946 0999');
    await ada.press('Add customer');
    await ada.arrives('Globex');
    await ada.sees('Globex was added.', 'Invited');
    const maria = await this.#makesWelcomeLink(ada, 'Maria Silva', MARIA.email);
    await ada.press('Add contact');
    await ada.arrives('Add contact');
    await ada.write('Name', 'Noor Haddad');
    await ada.write('Email', NOOR.email);
    await ada.press('Add contact');
    await ada.arrives('Globex');
    const noor = await this.#makesWelcomeLink(ada, 'Noor Haddad', NOOR.email);
    await this.#billingSystemImportsAnInvoice();
    return { maria, noor };
  }

  async mariaEnablesMfa(link: string): Promise<string[]> {
    const maria = this.#maria;
    await this.#choosesPassword(maria, link, MARIA.password);
    assert.equal(await maria.page.getByLabel('Email').inputValue(), MARIA.email, 'her address is filled in');
    await maria.write('Password', MARIA.password);
    await maria.press('Sign in');
    await maria.arrives(ENABLE);
    await maria.press('Configure');
    const uri = await this.#mariaScans();
    await maria.press('Next');
    await maria.arrives(FIRST_CODE);
    await maria.write(FIRST_CODE, '000000');
    await maria.press('Verify');
    await maria.sees("That code isn't right. Wait for a new one in your app and enter it");
    await maria.press('Show the QR code again');
    await maria.page.locator('img').scrollIntoViewIfNeeded();
    assert.equal(await maria.scansTheScreen(), uri, 'a wrong code keeps the same QR code');
    await maria.write(FIRST_CODE, this.#mariaPhone.shows);
    await maria.press('Verify');
    await maria.arrives('Your authenticator app works');
    await maria.press('Enable MFA');
    await maria.arrives('MFA is on');
    await maria.press('Generate Backup Codes');
    return this.#mariaKeepsHerCodes();
  }

  async #mariaScans(): Promise<string> {
    const maria = this.#maria;
    await maria.arrives('Scan the QR code');
    const uri = await maria.scansTheScreen();
    await maria.press("I can't scan the QR code");
    const shown = (await maria.page.locator('#key').innerText()).replaceAll(' ', '');
    assert.match(shown, /^[A-Z2-7]{32}$/);
    assert.equal(uri, `otpauth://totp/Acme%20Billing:maria%40globex.test?secret=${shown}&issuer=Acme%20Billing`);
    await maria.sees('Acme Billing: maria@globex.test', 'Time based, 6 digits, 30 seconds');
    this.#mariaPhone.scan(uri);
    return uri;
  }

  async #mariaKeepsHerCodes(): Promise<string[]> {
    const maria = this.#maria;
    const codes = await ways.codesOnScreen(maria);
    const file = await ways.downloads(maria, 'Download');
    assert.equal(file.name, 'acme-billing-backup-codes-2026-11-24.txt');
    assert.ok(file.text.startsWith('\ufeffAcme Billing – backup codes\r\nAccount: maria@globex.test\r\n'));
    assert.match(file.text, /\r\nMade: 24 November 2026, 09:\d\d \(UTC\)\r\n/);
    assert.deepEqual(
      file.text.split('\r\n').filter((line) => /^\d/.test(line)),
      codes,
      'the file is what the screen says',
    );
    if (this.#seat.script ?? true) {
      await maria.press('Copy');
      await maria.sees('Copied 5 backup codes.');
      const copied = await maria.page.evaluate<string>('navigator.clipboard.readText()');
      assert.deepEqual(copied.split('\n'), codes, 'the clipboard is what the screen says');
    }
    await maria.page.reload();
    assert.deepEqual(await ways.codesOnScreen(maria), codes, 'a reload shows the same five');
    await maria.press('Continue to Sign In');
    await maria.arrives('Sign in to Acme Billing');
    return codes;
  }

  async noorClosesTheTabBeforeTheEnd(link: string): Promise<void> {
    const noor = this.#noor;
    await this.#choosesPassword(noor, link, NOOR.password);
    const phone = new Phone(this.#world);
    await ways.givesPassword(noor, NOOR);
    await noor.arrives(ENABLE);
    await noor.press('Configure');
    await noor.arrives('Scan the QR code');
    phone.scan(await noor.scansTheScreen());
    await noor.press('Next');
    await noor.arrives(FIRST_CODE);
    await noor.write(FIRST_CODE, phone.shows);
    await noor.press('Verify');
    await noor.arrives('Your authenticator app works');
    await noor.takesAnotherTab();
    await noor.go(this.#portal);
    await ways.givesPassword(noor, NOOR);
    await noor.arrives(ENABLE);
  }

  async mariaSignsInWithTheNextCode(): Promise<void> {
    const maria = this.#maria;
    await maria.sees('MFA is on. Sign in with your password and a code from your app.');
    await maria.write('Password', MARIA.password);
    await maria.press('Sign in');
    await ways.givesCode(maria, this.#mariaPhone.shows);
    const seconds = 30 - ((this.#world.clock.now / 1000) % 30);
    await maria.sees(`That code has already been used. The next one comes in ${seconds} seconds`);
    await ways.givesCode(maria, this.#mariaPhone.next());
    await maria.arrives('Documents');
    await maria.sees('Signed in as Maria Silva, Globex', 'MFA is on · 5 of 5 backup codes left', 'INV-2045', 'Hosting');
    await maria.press('Sign out');
    await maria.arrives('Sign in to Acme Billing');
    await maria.sees('You have signed out.');
  }

  async mariaUsesABackupCode([code = '']: string[]): Promise<void> {
    const maria = this.#maria;
    await this.#mariaGivesBackupCode(code);
    await maria.arrives('You have 4 backup codes left');
    await maria.press('Continue');
    await maria.arrives('Documents');
    await maria.sees('MFA is on · 4 of 5 backup codes left');
    await maria.press('Sign out');
    await maria.arrives('Sign in to Acme Billing');
    await this.#mariaGivesBackupCode(code);
    await maria.sees("We couldn't use that code. Check it, or try another one you haven't used");
    await maria.press('Use my authenticator app instead');
    await ways.givesCode(maria, this.#mariaPhone.next());
    await maria.arrives('Documents');
  }

  async #mariaGivesBackupCode(code: string): Promise<void> {
    const maria = this.#maria;
    await ways.givesPassword(maria, MARIA);
    await maria.arrives(CODE);
    await maria.press("I can't get a code");
    await maria.press('Use a backup code');
    await maria.arrives('Enter a backup code');
    await maria.write('Enter a backup code', code);
    await maria.press('Continue');
  }

  async samResetsMaria(): Promise<void> {
    const sam = this.#sam;
    const person = await addStaff(this.#world.installation, await this.#acme(), 'Sam Porter', 'support');
    await this.#enrolsAtTheConsole(sam, person, this.#samPhone);
    await this.#opensReset(sam);
    await sam.sees('They set up MFA again at their next sign-in');
    await sam.press('Reset MFA');
    await sam.sees('Choose how you checked');
    await sam.mark('Called the number on file');
    await sam.write('Note', 'She read out the last invoice number');
    await sam.press('Reset MFA');
    await sam.arrives('Globex');
    await sam.sees('MFA reset for maria@globex.test. They are told at their next sign-in.', 'Not set up');
  }

  async mariaEnrolsAgain(): Promise<void> {
    const maria = this.#maria;
    await maria.page.reload();
    await maria.arrives('Sign in to Acme Billing');
    await ways.givesPassword(maria, MARIA);
    await maria.arrives(ENABLE);
    await maria.sees(
      'Acme Billing reset your MFA on 24 November 2026',
      "If you didn't ask for this, tell Acme Billing now.",
    );
    const before = this.#mariaPhone.key;
    await ways.enablesMfa(maria, this.#mariaPhone);
    assert.notEqual(this.#mariaPhone.key, before, 'a reset ends the old key');
    await ways.generatesCodes(maria);
    await ways.givesPassword(maria, MARIA);
    await ways.givesCode(maria, this.#mariaPhone.next());
    await maria.arrives('Documents');
    await maria.press('Sign out');
    await maria.arrives('Sign in to Acme Billing');
  }

  async adaTurnsMfaOff(): Promise<void> {
    const ada = this.#ada;
    this.#world.clock.advance(8 * MINUTE_MS);
    await this.#opensGeneral(ada);
    await ada.sees('The 1 contact who already uses MFA will still need their code.');
    await ada.mark('Enable multi-factor authentication (MFA)');
    await ada.press('Save');
    await ada.sees("You're about to turn MFA off.");
    await ways.confirms(ada, ADA.password, this.#adaPhone.next());
    await ada.sees('MFA is off. 1 contact still needs their code.');
  }

  async onlyMariaIsStillAsked(): Promise<void> {
    const [maria, noor] = [this.#maria, this.#noor];
    await ways.givesPassword(maria, MARIA);
    await ways.givesCode(maria, this.#mariaPhone.next());
    await maria.arrives('Documents');
    await noor.go(this.#portal);
    await ways.givesPassword(noor, NOOR);
    await noor.arrives('Documents');
    await noor.sees('Signed in as Noor Haddad, Globex', 'MFA is off', 'INV-2045');
  }

  async adaFreesMaria(): Promise<void> {
    const [ada, maria] = [this.#ada, this.#maria];
    await this.#opensReset(ada);
    await ada.sees('MFA is off in your settings, so they will not be asked to set it up');
    await ada.mark('Met in person');
    await ada.press('Reset MFA');
    await ada.arrives('Globex');
    await maria.page.reload();
    await maria.arrives('Sign in to Acme Billing');
    await ways.givesPassword(maria, MARIA);
    await maria.arrives('Documents');
    await maria.sees('Acme Billing reset your MFA on 24 November 2026', 'MFA is off');
  }

  async close(): Promise<void> {
    for (const somebody of [this.#ada, this.#sam, this.#maria, this.#noor]) await somebody.leaves();
  }

  async #acme(): Promise<Organization> {
    const organization = await findOrganizationBySlug(this.#world.db, 'acme-billing');
    assert.ok(organization);
    return organization;
  }

  async #opensGeneral(ada: Somebody): Promise<void> {
    await ada.press('Settings');
    await ada.arrives('Customer Portal');
    await ada.press('General');
    await ada.arrives('General');
  }

  async #makesWelcomeLink(ada: Somebody, name: string, email: string): Promise<string> {
    await ada.press(`Actions for ${email}`);
    await ada.press('Invite');
    await ada.arrives(`Make a welcome link for ${name}?`);
    await ada.press('Make welcome link');
    await ada.arrives(`Welcome link for ${name}`);
    const link = await ada.page.locator('#link').innerText();
    await ada.press('Back to Globex');
    await ada.arrives('Globex');
    return link;
  }

  async #choosesPassword(contact: Somebody, link: string, password: string): Promise<void> {
    await contact.go(link);
    await contact.arrives('Set up your Acme Billing account');
    await contact.write('Password', password);
    await contact.press('Create account');
    await contact.arrives('Sign in to Acme Billing');
    await contact.sees('Your account is ready. Sign in with your new password.');
  }

  async #enrolsAtTheConsole(somebody: Somebody, person: Person, phone: Phone): Promise<void> {
    await somebody.go(`${this.#origin}/admin`);
    await ways.givesPassword(somebody, person);
    await ways.enablesMfa(somebody, phone);
    await ways.generatesCodes(somebody);
    await ways.givesPassword(somebody, person);
    await ways.givesCode(somebody, phone.next());
    await somebody.arrives('Overview');
  }

  async #opensReset(staff: Somebody): Promise<void> {
    await staff.press('Customers');
    await staff.arrives('Customers');
    await staff.write('Search', 'maria');
    await staff.press('Search');
    await staff.page.waitForURL(/q=maria/);
    await staff.press('Globex');
    await staff.arrives('Globex');
    await staff.press('Actions for maria@globex.test');
    await staff.press('Reset Portal MFA');
    await staff.arrives('Reset MFA for Maria Silva?');
  }

  async #billingSystemImportsAnInvoice(): Promise<void> {
    const { installation, db } = this.#world;
    const { id } = await this.#acme();
    const [globex] = await db.all<{ id: string }>(sql`SELECT id FROM customers WHERE organization_id = ${id}`);
    const invoice = { kind: 'invoice', number: 'INV-2045', title: 'Hosting', date: '2026-11-18' } as const;
    const money = { amount: '1240.00', currency: 'GBP', status: 'Due', url: null };
    const customerId = globex?.id ?? '';
    await importDocuments(installation, OPERATOR, id, [{ ...invoice, ...money, customerId }]);
  }
}
