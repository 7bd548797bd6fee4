-- +goose Up
CREATE TABLE registry_state (
  id      bigint NOT NULL PRIMARY KEY, -- 1
  version bigint NOT NULL              -- grows with each change: what a snapshot is of
);
INSERT INTO registry_state (id, version) VALUES (1, 1);

CREATE TABLE registry_publisher (
  id      text   NOT NULL PRIMARY KEY,
  name    text   NOT NULL,
  contact text   NOT NULL,
  created bigint NOT NULL,
  updated bigint NOT NULL,
  version bigint NOT NULL
);

CREATE TABLE registry_host (
  id      text   NOT NULL PRIMARY KEY,
  name    text   NOT NULL,
  kind    text   NOT NULL,
  rules   text   NOT NULL, -- JSON: paths, prefixes, files
  created bigint NOT NULL,
  updated bigint NOT NULL,
  version bigint NOT NULL
);

CREATE TABLE registry_extension (
  id         text   NOT NULL PRIMARY KEY, -- publisher.name
  publisher  text   NOT NULL REFERENCES registry_publisher (id),
  kind       text   NOT NULL,
  name       text   NOT NULL,
  summary    text   NOT NULL,
  repository text   NOT NULL,
  contact    text   NOT NULL,
  host       text   NOT NULL,             -- '' = any of its kind
  rules      text   NOT NULL,             -- JSON: locals, prefixes, shaded, libraries
  created    bigint NOT NULL,
  updated    bigint NOT NULL,
  version    bigint NOT NULL
);

CREATE TABLE registry_team (
  id      text   NOT NULL PRIMARY KEY,
  name    text   NOT NULL,
  owns    text   NOT NULL, -- JSON: extensions, hosts
  created bigint NOT NULL,
  updated bigint NOT NULL,
  version bigint NOT NULL
);

CREATE TABLE registry_release (
  kind       text   NOT NULL, -- extension or host
  subject    text   NOT NULL,
  version    text   NOT NULL,
  channel    text   NOT NULL,
  published  bigint NOT NULL,
  first_seen bigint NOT NULL, -- 0 = not yet
  declared   bigint NOT NULL,
  PRIMARY KEY (kind, subject, version)
);

CREATE TABLE registry_project (
  id         bigint NOT NULL PRIMARY KEY,
  kind       text   NOT NULL, -- extension or host
  subject    text   NOT NULL,
  name       text   NOT NULL,
  policy     text   NOT NULL, -- JSON
  sampling   text   NOT NULL,
  quarantine text   NOT NULL, -- JSON
  created    bigint NOT NULL,
  updated    bigint NOT NULL,
  version    bigint NOT NULL
);

CREATE TABLE registry_key (
  public   text   NOT NULL PRIMARY KEY, -- 32 hex digits
  project  bigint NOT NULL REFERENCES registry_project (id),
  label    text   NOT NULL,
  origins  text   NOT NULL, -- JSON
  rate     bigint NOT NULL, -- requests a minute
  burst    bigint NOT NULL,
  quota    bigint NOT NULL, -- items a day; 0 = none
  status   text   NOT NULL,
  created  bigint NOT NULL,
  expires  bigint NOT NULL, -- 0 = never
  replaces text   NOT NULL,
  version  bigint NOT NULL
);
CREATE INDEX registry_key_project ON registry_key (project);
