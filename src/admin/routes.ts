import { doorRoutes } from '../door/routes.ts';
import { anyone, staff } from '../web/guards.ts';
import { route, type Route } from '../web/routes.ts';
import { audit, exportAudit } from './audit.ts';
import * as branding from './branding.ts';
import { atContact, atCustomer } from './console.ts';
import * as bulk from './bulk.ts';
import * as devices from './contact-devices.ts';
import { customer } from './customer.ts';
import * as forms from './customer-forms.ts';
import * as importing from './import-check.ts';
import * as files from './import-customers.ts';
import * as documents from './import-documents.ts';
import { customers } from './customers.ts';
import * as email from './email.ts';
import * as jobs from './jobs.ts';
import * as moving from './move-contact.ts';
import { downloadAdoption, overview } from './overview.ts';
import * as access from './portal-access.ts';
import * as removal from './removal.ts';
import { sendReminder } from './remind.ts';
import { askToReset, reset } from './reset-mfa.ts';
import * as everybody from './everybody.ts';
import * as exempt from './exempt.ts';
import * as preview from './policy-preview.ts';
import * as request from './recovery-request.ts';
import { RECOVERY, recovery } from './recovery.ts';
import * as settings from './settings.ts';
import { askForSetupCode, makeSetupCode } from './setup-code.ts';
import * as setup from './setup.ts';
import * as choices from './sign-in-choices.ts';
import * as spoken from './sign-in-code.ts';
import * as out from './sign-out-contact.ts';
import * as staffActs from './team-acts.ts';
import * as invitation from './team-invite.ts';
import { atMember } from './team-member.ts';
import { askToResetStaff, resetStaff } from './team-reset.ts';
import { team } from './team.ts';

const CUSTOMER = '/admin/customers/:customer';
const CONTACT = `${CUSTOMER}/contacts/:contact`;
const MEMBER = '/admin/team/:member';
const JOB = '/admin/jobs/:job';
const GENERAL = '/admin/settings/customer-portal/general';

const look = staff('read');
const lookOn = staff('read', { unattended: true });
const setting = staff('change settings');
const edit = staff('edit customers');
const editPeople = staff('edit contacts');
const resetting = staff('reset MFA');
const unlocking = staff('unlock');
const keeping = staff('open and close portal access');
const inviting = staff('make welcome links');
const exchanging = staff('import and export customers');
const FILE = `${files.IMPORT}/:import`;
const acting = staff('act on many contacts at once');
const ending = staff('end sessions');
const deleting = staff('delete customers and contacts');
const managing = staff('manage the team');

/** The console's site map: the door for staff, the first set-up, and the pages behind them. */
export const adminRoutes: readonly Route[] = [
  ...doorRoutes('admin'),
  route('GET', '/setup/:token', anyone, setup.show),
  route('POST', '/setup/:token', anyone, setup.submit),
  route('GET', '/admin', look, overview),
  route('GET', '/admin/overview/adoption.csv', look, downloadAdoption),
  route('GET', '/admin/audit', look, audit),
  route('POST', '/admin/audit/export', staff('export the audit log'), exportAudit),
  route('GET', '/admin/settings', look, settings.settings),
  route('GET', email.EMAIL, look, email.show),
  route('POST', email.TEST, setting, email.sendTestLetter),
  route('GET', GENERAL, look, settings.general),
  route('POST', GENERAL, setting, settings.saveGeneral),
  route('GET', choices.SIGN_IN, look, choices.show),
  route('POST', choices.SIGN_IN, setting, choices.save),
  route('GET', '/admin/jobs', look, jobs.list),
  route('GET', JOB, lookOn, jobs.atJob(jobs.show)),
  route('GET', `${JOB}/progress`, lookOn, jobs.atJob(jobs.progress)),
  route('GET', `${JOB}/file`, look, jobs.atJob(jobs.download)),
  route('POST', `${JOB}/stop`, look, jobs.atJob(jobs.stop)),
  route('POST', `${JOB}/resume`, look, jobs.atJob(jobs.resume)),
  route('GET', branding.BRANDING, look, branding.branding),
  route('POST', branding.BRANDING, staff('change settings'), branding.save, { bodyMax: branding.BRANDING_BODY_MAX }),
  route('GET', `${GENERAL}/preview`, look, preview.preview),
  route('GET', `${GENERAL}/preview/export`, staff('import and export customers'), preview.exportPreview),
  route('GET', `${GENERAL}/sign-everyone-out`, setting, everybody.askToSignOut),
  route('POST', `${GENERAL}/sign-everyone-out`, setting, everybody.signOut),
  route('GET', `${GENERAL}/reset-everybody`, staff('act on many contacts at once'), everybody.askToReset),
  route('POST', `${GENERAL}/reset-everybody`, staff('act on many contacts at once'), everybody.reset),
  route('GET', '/admin/customers', look, customers),
  route('GET', '/admin/customers/new', edit, forms.newCustomer),
  route('POST', '/admin/customers/new', edit, forms.addCustomer),
  route('GET', files.IMPORT, exchanging, files.upload),
  route('POST', files.IMPORT, exchanging, files.receive, { bodyMax: files.IMPORT_BODY_MAX }),
  route('GET', `${files.IMPORT}/template`, exchanging, files.template),
  route('GET', FILE, exchanging, importing.atImport(importing.check)),
  route('POST', FILE, exchanging, importing.atImport(importing.begin)),
  route('POST', `${FILE}/columns`, exchanging, importing.atImport(importing.remap)),
  route('GET', `${FILE}/errors`, exchanging, importing.atImport(importing.errors)),
  route('POST', `${FILE}/discard`, exchanging, importing.atImport(importing.discard)),
  route('GET', documents.IMPORT_DOCUMENTS, exchanging, documents.askForDocuments),
  route('POST', documents.IMPORT_DOCUMENTS, exchanging, documents.receiveDocuments, {
    bodyMax: documents.DOCUMENTS_BODY_MAX,
  }),
  route('GET', files.EXPORT, exchanging, files.askToExport),
  route('POST', files.EXPORT, exchanging, files.beginExport),
  route('POST', '/admin/customers/many', acting, bulk.choose),
  route('GET', '/admin/customers/many/:selection', acting, bulk.atSelection(bulk.askAboutMany)),
  route('POST', '/admin/customers/many/:selection', acting, bulk.atSelection(bulk.actOnMany)),
  route('GET', CUSTOMER, look, atCustomer(customer)),
  route('GET', `${CUSTOMER}/edit`, edit, atCustomer(forms.editCustomer)),
  route('POST', `${CUSTOMER}/edit`, edit, atCustomer(forms.saveCustomer)),
  route('GET', `${CUSTOMER}/delete`, deleting, atCustomer(removal.askToDeleteCustomer)),
  route('POST', `${CUSTOMER}/delete`, deleting, atCustomer(removal.removeCustomer)),
  route('GET', `${CUSTOMER}/contacts/new`, editPeople, atCustomer(forms.newContact)),
  route('POST', `${CUSTOMER}/contacts/new`, editPeople, atCustomer(forms.addContact)),
  route('GET', `${CONTACT}/edit`, editPeople, atContact(forms.editContact)),
  route('POST', `${CONTACT}/edit`, editPeople, atContact(forms.saveContact)),
  route('GET', `${CONTACT}/move`, edit, atContact(moving.askWhereTo)),
  route('POST', `${CONTACT}/move`, edit, atContact(moving.move)),
  route('GET', `${CONTACT}/delete`, deleting, atContact(removal.askToDeleteContact)),
  route('POST', `${CONTACT}/delete`, deleting, atContact(removal.removeContact)),
  route('GET', `${CONTACT}/sign-out`, ending, atContact(out.askToSignOut)),
  route('POST', `${CONTACT}/sign-out`, ending, atContact(out.signOut)),
  route('POST', `${CONTACT}/sessions/:session/end`, ending, atContact(out.endSession)),
  route('POST', `${CONTACT}/devices/:device/remove`, ending, atContact(devices.remove)),
  route('GET', `${CONTACT}/reset-mfa`, resetting, atContact(askToReset)),
  route('POST', `${CONTACT}/reset-mfa`, resetting, atContact(reset)),
  route('POST', `${CONTACT}/remind`, editPeople, atContact(sendReminder)),
  route('GET', `${CONTACT}/setup-code`, resetting, atContact(askForSetupCode)),
  route('POST', `${CONTACT}/setup-code`, resetting, atContact(makeSetupCode)),
  route('GET', `${CONTACT}/sign-in-code`, resetting, atContact(spoken.askForCode)),
  route('POST', `${CONTACT}/sign-in-code`, resetting, atContact(spoken.makeCode)),
  route('GET', `${CONTACT}/exempt`, setting, atContact(exempt.ask)),
  route('POST', `${CONTACT}/exempt`, setting, atContact(exempt.grant)),
  route('POST', `${CONTACT}/exempt/end`, setting, atContact(exempt.end)),
  route('GET', `${CONTACT}/unlock`, unlocking, atContact(access.askToUnlock)),
  route('POST', `${CONTACT}/unlock`, unlocking, atContact(access.unlockContact)),
  route('GET', `${CONTACT}/disable`, keeping, atContact(access.askToDisable)),
  route('POST', `${CONTACT}/disable`, keeping, atContact(access.disable)),
  route('POST', `${CONTACT}/enable`, keeping, atContact(access.enable)),
  route('GET', `${CONTACT}/welcome-link`, inviting, atContact(access.askForWelcomeLink)),
  route('POST', `${CONTACT}/welcome-link`, inviting, atContact(access.welcomeLink)),
  route('POST', `${CONTACT}/invitation`, inviting, atContact(access.sendInvitation)),
  route('GET', RECOVERY, look, recovery),
  route('GET', `${RECOVERY}/:request`, look, request.atRequest(request.show)),
  route('POST', `${RECOVERY}/:request/approve`, resetting, request.atRequest(request.approveRequest)),
  route('POST', `${RECOVERY}/:request/refuse`, resetting, request.atRequest(request.refuseRequest)),
  route('GET', '/admin/team', look, team),
  route('GET', '/admin/team/invite', managing, invitation.askToInvite),
  route('POST', '/admin/team/invite', managing, invitation.invite),
  route('GET', `${MEMBER}/invitation-link`, managing, atMember(invitation.askForLink)),
  route('POST', `${MEMBER}/invitation-link`, managing, atMember(invitation.makeLink)),
  route('GET', `${MEMBER}/role`, managing, atMember(staffActs.askForRole)),
  route('POST', `${MEMBER}/role`, managing, atMember(staffActs.giveRole)),
  route('GET', `${MEMBER}/reset-mfa`, managing, atMember(askToResetStaff)),
  route('POST', `${MEMBER}/reset-mfa`, managing, atMember(resetStaff)),
  route('GET', `${MEMBER}/sign-out`, managing, atMember(staffActs.askToSignOut)),
  route('POST', `${MEMBER}/sign-out`, managing, atMember(staffActs.signOut)),
  route('GET', `${MEMBER}/remove`, managing, atMember(staffActs.askToRemove)),
  route('POST', `${MEMBER}/remove`, managing, atMember(staffActs.remove)),
];
