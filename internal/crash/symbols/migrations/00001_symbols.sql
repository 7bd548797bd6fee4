-- +goose Up
CREATE TABLE symbol_file (
  id        text   NOT NULL PRIMARY KEY,
  subject   text   NOT NULL, -- extension:publisher.name or host:name
  kind      text   NOT NULL, -- sourcemap, proguard, breakpad
  debug_id  text   NOT NULL, -- canonical; '' = none
  release   text   NOT NULL, -- '' = any: found by its debug id only
  file      text   NOT NULL, -- ~/dist/extension.js, or the binary's name
  base      text   NOT NULL, -- last part of file
  name      text   NOT NULL, -- of the upload
  sha256    text   NOT NULL,
  size      bigint NOT NULL,
  by_actor  text   NOT NULL,
  at_ms     bigint NOT NULL,
  used_ms   bigint NOT NULL, -- 0 = never
  gone_ms   bigint NOT NULL  -- 0 = there; else deleted, and can be brought back for a while
);
CREATE INDEX symbol_file_subject ON symbol_file (subject, release);
CREATE INDEX symbol_file_debug_id ON symbol_file (debug_id);
CREATE INDEX symbol_file_sha ON symbol_file (sha256);

CREATE TABLE symbol_missing (
  id       text   NOT NULL PRIMARY KEY, -- hash of the columns below
  subject  text   NOT NULL,
  kind     text   NOT NULL,
  debug_id text   NOT NULL,
  release  text   NOT NULL,
  file     text   NOT NULL,
  crashes  bigint NOT NULL,
  first_ms bigint NOT NULL,
  last_ms  bigint NOT NULL,
  due      bigint NOT NULL -- 1: a file came that may fit; the job looks
);
CREATE INDEX symbol_missing_subject ON symbol_missing (subject);
CREATE INDEX symbol_missing_due ON symbol_missing (due);

-- The newest crashes that asked for it: those that can still be named.
CREATE TABLE symbol_wanted (
  missing  text   NOT NULL,
  crash    text   NOT NULL, -- id of the report
  PRIMARY KEY (missing, crash)
);
