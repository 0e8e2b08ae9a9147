/** What a column of an import can say about a contact, in the order of the template. */
export const FIELDS = [
  'email',
  'name',
  'first_name',
  'last_name',
  'customer',
  'customer_id',
  'external_id',
  'primary_contact_id',
  'phone',
  'language',
  'portal_access',
  'totp_secret',
  'password_hash',
] as const;
export type Field = (typeof FIELDS)[number];

/** Which column of a file says what, by its place from 0. */
export type Mapping = Readonly<Partial<Record<Field, number>>>;

/** The columns of the template, which say everything that can be said. */
export const TEMPLATE: readonly Field[] = [
  'email',
  'name',
  'customer',
  'external_id',
  'phone',
  'language',
  'portal_access',
  'totp_secret',
  'password_hash',
];

// The names that columns go by, without spaces, case and punctuation; the first of a field that is there is it. Zoho Books
// and Zoho Billing call a customer "contact" and a contact "contact person", so their "Contact ID" is the customer's.
const NAMES: Readonly<Record<Field, readonly string[]>> = {
  email: ['email', 'emailid', 'emailaddress', 'contactpersonemail', 'contactemail', 'mail'],
  name: ['name', 'fullname', 'contactpersonname'],
  first_name: ['firstname', 'givenname'],
  last_name: ['lastname', 'surname', 'familyname'],
  customer: ['customer', 'customername', 'displayname', 'contactname', 'companyname', 'company'],
  customer_id: ['customerid', 'contactid'],
  external_id: ['externalid', 'contactpersonid', 'contactpersonsid'],
  primary_contact_id: ['primarycontactid', 'primarycontactpersonid'],
  phone: ['phone', 'mobilephone', 'mobile', 'telephone'],
  language: ['language', 'languagecode', 'portallanguage'],
  portal_access: ['portalaccess', 'portalenabled', 'portalstatus', 'isportalenabled', 'enableportal'],
  totp_secret: ['totpsecret', 'otpauth', 'otpauthuri', 'otpauthurl', 'mfasecret'],
  password_hash: ['passwordhash', 'hashedpassword'],
};

/** Recognises the template, a contact export of Zoho Books or Zoho Billing, and whatever has a column called email. */
export function recognise(header: readonly string[]): Mapping {
  const names = header.map(bare);
  const mapping: Partial<Record<Field, number>> = {};
  for (const field of FIELDS) {
    const at = NAMES[field].map((name) => names.indexOf(name)).find((place) => place >= 0);
    if (at !== undefined) mapping[field] = at;
  }
  // An export with one row a customer names its person by this id alone.
  if (mapping.external_id === undefined && mapping.primary_contact_id !== undefined)
    mapping.external_id = mapping.primary_contact_id;
  return mapping;
}

function bare(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
