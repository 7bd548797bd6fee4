-- +goose Up
-- What people and their rules decided about families. No foreign keys to families:
-- those live in the flow's database.
CREATE TABLE triage_rules (
  version bigint NOT NULL PRIMARY KEY, -- 1, 2, …
  body    text   NOT NULL,             -- the rules as they were written
  author  text   NOT NULL,             -- account id
  note    text   NOT NULL,
  at_ms   bigint NOT NULL
);
CREATE TABLE triage_family (
  family    text   NOT NULL PRIMARY KEY,
  team      text   NOT NULL, -- "" = none
  team_hand bigint NOT NULL, -- 1: a person said so, and no rule changes it
  team_rule text   NOT NULL, -- the rule that named the team, when none is by hand
  person    text   NOT NULL, -- account id; "" = nobody
  rules     bigint NOT NULL, -- version of the rules that were asked last; 0 = not yet
  routed_ms bigint NOT NULL,
  why       text   NOT NULL, -- what each rule came to, JSON
  subject   text   NOT NULL  -- what of the representative the rules ask, JSON
);
CREATE INDEX triage_family_team ON triage_family (team);
CREATE INDEX triage_family_person ON triage_family (person);
CREATE TABLE triage_label (
  id     text   NOT NULL PRIMARY KEY,
  owner  text   NOT NULL, -- a publisher; "" = the ecosystem's
  name   text   NOT NULL,
  colour bigint NOT NULL, -- of the palette, 0 to 7
  about  text   NOT NULL,
  UNIQUE (owner, name)
);
CREATE TABLE triage_family_label (
  family text   NOT NULL,
  label  text   NOT NULL,
  rule   text   NOT NULL, -- "" = by hand
  off    bigint NOT NULL, -- 1: a person took it off; no rule puts it back
  PRIMARY KEY (family, label)
);
CREATE INDEX triage_family_label_label ON triage_family_label (label);
CREATE TABLE triage_watch (
  family  text   NOT NULL,
  account text   NOT NULL,
  why     text   NOT NULL, -- hand, comment, assigned, mentioned
  muted   bigint NOT NULL,
  PRIMARY KEY (family, account)
);
CREATE INDEX triage_watch_account ON triage_watch (account);
CREATE TABLE triage_comment (
  id      text   NOT NULL PRIMARY KEY,
  family  text   NOT NULL,
  author  text   NOT NULL, -- account id
  body    text   NOT NULL, -- Markdown; people are named @{account}, teams @{team:id}
  team    bigint NOT NULL, -- 1: hidden from authors of extensions
  at_ms   bigint NOT NULL,
  edit_ms bigint NOT NULL, -- 0 = never
  gone    bigint NOT NULL  -- 1: deleted; the body is empty
);
CREATE INDEX triage_comment_family ON triage_comment (family, at_ms);
CREATE TABLE triage_comment_past (
  comment text   NOT NULL,
  n       bigint NOT NULL,
  body    text   NOT NULL,
  at_ms   bigint NOT NULL, -- when it was replaced
  PRIMARY KEY (comment, n)
);
CREATE TABLE triage_change (
  n      bigint NOT NULL PRIMARY KEY,
  batch  text   NOT NULL, -- what was done together is taken back together
  family text   NOT NULL,
  at_ms  bigint NOT NULL,
  actor  text   NOT NULL, -- account id, or "rules"
  kind   text   NOT NULL, -- team, person, label, watch, state
  item   text   NOT NULL, -- the label; the change of the state
  was    text   NOT NULL,
  now    text   NOT NULL,
  note   text   NOT NULL,
  undone bigint NOT NULL
);
CREATE INDEX triage_change_family ON triage_change (family, n);
CREATE INDEX triage_change_batch ON triage_change (batch);
CREATE TABLE triage_event (
  seq        bigint NOT NULL PRIMARY KEY,
  kind       text   NOT NULL,
  family     text   NOT NULL,
  actor      text   NOT NULL,
  item       text   NOT NULL,
  inside     bigint NOT NULL, -- 1: not for authors of extensions
  recipients text   NOT NULL, -- account ids, JSON
  at_ms      bigint NOT NULL
);
CREATE INDEX triage_event_at ON triage_event (at_ms);
CREATE TABLE triage_filter (
  id      text   NOT NULL PRIMARY KEY,
  account text   NOT NULL,
  team    text   NOT NULL, -- whom it is shared with; "" = nobody
  name    text   NOT NULL,
  query   text   NOT NULL,
  at_ms   bigint NOT NULL
);
CREATE INDEX triage_filter_account ON triage_filter (account);
CREATE INDEX triage_filter_team ON triage_filter (team);
