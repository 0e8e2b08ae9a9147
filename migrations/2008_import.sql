-- What a customer and a contact are called in the merchant's billing system: an import finds them again by it.
ALTER TABLE customers ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX customers_by_external_id ON customers (organization_id, external_id) WHERE external_id IS NOT NULL;
ALTER TABLE accounts ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX accounts_by_external_id ON accounts (organization_id, external_id) WHERE external_id IS NOT NULL;

-- Which files were imported, by the hash of their bytes, so that the same one is recognized. Nothing of the file stays.
CREATE TABLE imported_files (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  file_hash TEXT NOT NULL,
  imported_at BIGINT NOT NULL,
  PRIMARY KEY (organization_id, file_hash)
);
