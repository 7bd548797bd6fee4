-- +goose Up
CREATE TABLE crash_family (
  id             text   NOT NULL PRIMARY KEY,
  version        text   NOT NULL,
  title          text   NOT NULL,
  type           text   NOT NULL,
  platform       text   NOT NULL,
  block          text   NOT NULL,
  blame          text   NOT NULL,
  target         text   NOT NULL,
  host           text   NOT NULL,
  first_ms       bigint NOT NULL,
  last_ms        bigint NOT NULL,
  first_release  text   NOT NULL,
  last_release   text   NOT NULL,
  representative text   NOT NULL,
  signatures     bigint NOT NULL
);
CREATE INDEX crash_family_blame ON crash_family (blame);
CREATE INDEX crash_family_representative ON crash_family (representative);
CREATE TABLE crash_signature (
  hash     text   NOT NULL,
  family   text   NOT NULL,
  sig_key  text   NOT NULL,
  title    text   NOT NULL,
  version  text   NOT NULL,
  first_ms bigint NOT NULL,
  PRIMARY KEY (hash, family)
);
CREATE INDEX crash_signature_family ON crash_signature (family);
CREATE TABLE crash_block (
  block text   NOT NULL PRIMARY KEY,
  body  bytea  NOT NULL
);
