-- +goose Up
CREATE TABLE registry_claim (
  id        text   NOT NULL PRIMARY KEY,
  extension text   NOT NULL,
  publisher text   NOT NULL, -- that is to own it
  account   text   NOT NULL, -- who claims
  method    text   NOT NULL, -- file, dns or list
  place     text   NOT NULL, -- where the proof is looked for
  token     text   NOT NULL, -- what it says; public, since it is published
  state     text   NOT NULL, -- open, proven, withdrawn or expired
  why       text   NOT NULL, -- what the last look found
  created   bigint NOT NULL,
  checked   bigint NOT NULL, -- 0 = not yet
  expires   bigint NOT NULL
);
CREATE INDEX registry_claim_account ON registry_claim (account, created);
CREATE INDEX registry_claim_extension ON registry_claim (extension, state);

-- Who owns an extension in the marketplace's own list: digests of e-mail addresses.
CREATE TABLE registry_listed (
  extension text NOT NULL,
  digest    text NOT NULL,
  PRIMARY KEY (extension, digest)
);
