-- How a portal presents itself beyond its name: one colour, `#0f5a63`, and one picture. NULL is Sallyport's own.
ALTER TABLE organizations ADD COLUMN accent TEXT CHECK (length(accent) = 7);
ALTER TABLE organizations ADD COLUMN logo_hash TEXT;
ALTER TABLE organizations ADD COLUMN logo_width BIGINT CHECK (logo_width BETWEEN 1 AND 1000);
ALTER TABLE organizations ADD COLUMN logo_height BIGINT CHECK (logo_height BETWEEN 1 AND 1000);

-- The picture itself, at most 100 KB of it in base64, apart from the row that every request reads.
CREATE TABLE logos (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  hash TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('image/png', 'image/jpeg', 'image/webp')),
  content TEXT NOT NULL,
  PRIMARY KEY (organization_id, hash)
);
