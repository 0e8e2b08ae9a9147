-- What the sweep looks for each minute, so that it reads what has run out and not every link and address there is.
CREATE INDEX welcome_links_by_expiry ON welcome_links (expires_at);
CREATE INDEX known_addresses_by_last_seen ON known_addresses (last_seen_at);
