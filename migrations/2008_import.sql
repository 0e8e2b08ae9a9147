-- What a customer and a contact are called in the merchant's billing system: an import finds them again by it.
ALTER TABLE customers ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX customers_by_external_id ON customers (organization_id, external_id) WHERE external_id IS NOT NULL;
ALTER TABLE accounts ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX accounts_by_external_id ON accounts (organization_id, external_id) WHERE external_id IS NOT NULL;

-- A file that was uploaded to be imported. sealed holds what was found in it: header, mapping, mistakes; it and the parts
-- are gone when the import has ended or expires_at has passed. file_hash stays, so that the same file is recognized.
-- part_count is 0 until the whole file is there. updates_at says since when contacts that exist are to be changed too.
CREATE TABLE imports (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  id TEXT NOT NULL,
  account_id TEXT,
  file_name TEXT NOT NULL,
  file_hash TEXT NOT NULL,
  part_count BIGINT NOT NULL DEFAULT 0,
  updates_at BIGINT,
  sealed TEXT,
  job_id TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  imported_at BIGINT,
  PRIMARY KEY (organization_id, id),
  FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id)
);
CREATE INDEX imports_by_file ON imports (organization_id, file_hash) WHERE imported_at IS NOT NULL;
CREATE INDEX imports_by_expiry ON imports (expires_at);

-- The rows of such a file, some hundred in each part, sealed: they may hold secrets and hashes of passwords.
-- repeated: the lines in it that say again what an earlier line of the file has said.
CREATE TABLE import_parts (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  import_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  sealed TEXT NOT NULL,
  repeated TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, import_id, number),
  FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id)
);
