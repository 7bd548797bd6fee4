-- +goose Up
CREATE TABLE account (
  id       text   NOT NULL PRIMARY KEY,
  email    text   NOT NULL UNIQUE, -- lower case; personal data
  name     text   NOT NULL,        -- personal data
  password text   NOT NULL,        -- argon2id, PHC form
  disabled bigint NOT NULL,
  created  bigint NOT NULL,
  seen_day bigint NOT NULL         -- ms of the start of the last day with a sign-in; 0 = never
);

CREATE TABLE account_grant (
  account   text NOT NULL REFERENCES account (id),
  role      text NOT NULL,
  publisher text NOT NULL,
  team      text NOT NULL,
  PRIMARY KEY (account, role, publisher, team)
);

CREATE TABLE account_session (
  hash    text   NOT NULL PRIMARY KEY, -- SHA-256 of the token
  id      text   NOT NULL UNIQUE,      -- public
  account text   NOT NULL REFERENCES account (id),
  agent   text   NOT NULL,
  created bigint NOT NULL,
  seen    bigint NOT NULL,             -- to the minute
  ends    bigint NOT NULL              -- absolute
);
CREATE INDEX account_session_account ON account_session (account);

CREATE TABLE account_token (
  hash     text   NOT NULL PRIMARY KEY, -- SHA-256 of the token
  id       text   NOT NULL UNIQUE,      -- public
  account  text   NOT NULL REFERENCES account (id),
  label    text   NOT NULL,
  scopes   text   NOT NULL,             -- words with spaces between
  created  bigint NOT NULL,
  ends     bigint NOT NULL,
  used_day bigint NOT NULL,             -- ms of the start of the last day of use; 0 = never
  revoked  bigint NOT NULL
);
CREATE INDEX account_token_account ON account_token (account);

-- One-time links: set-up, invitations, password resets. A used one is deleted.
CREATE TABLE account_link (
  hash    text   NOT NULL PRIMARY KEY, -- SHA-256 of the token
  id      text   NOT NULL UNIQUE,      -- public
  kind    text   NOT NULL,             -- setup, invite, reset
  account text   NOT NULL,             -- reset: whose password
  email   text   NOT NULL,             -- invite: for whom; personal data
  name    text   NOT NULL,             -- invite; personal data
  grants  text   NOT NULL,             -- invite: JSON
  created bigint NOT NULL,
  ends    bigint NOT NULL
);
