-- +goose Up
-- Merges and splits that people made. detail: JSON of what they said and saw.
CREATE TABLE crash_regroup (
  id        text   NOT NULL PRIMARY KEY,
  n         bigint NOT NULL,
  kind      text   NOT NULL,
  family    text   NOT NULL,
  at_ms     bigint NOT NULL,
  actor     text   NOT NULL,
  note      text   NOT NULL,
  undone_ms bigint NOT NULL,
  undone_by text   NOT NULL
);
-- What they link. ended: the regroup that ended it, or its own when it was taken back; '' = it holds.
CREATE TABLE crash_link (
  family    text NOT NULL,
  signature text NOT NULL,
  to_family text NOT NULL,
  regroup   text NOT NULL,
  part      text NOT NULL,
  ended     text NOT NULL,
  PRIMARY KEY (family, signature, regroup, part)
);
CREATE INDEX crash_link_to ON crash_link (to_family);
-- Counts changes of links, so that everybody sees them at once and nobody reads them twice.
CREATE TABLE crash_links_at (one bigint NOT NULL PRIMARY KEY, n bigint NOT NULL);
INSERT INTO crash_links_at (one, n) VALUES (1, 0);
