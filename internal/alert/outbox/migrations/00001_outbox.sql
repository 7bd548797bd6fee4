-- +goose Up
CREATE TABLE outbox_message (
  id         text   NOT NULL PRIMARY KEY, -- the receiver's webhook-id, the mail's Message-ID
  target     text   NOT NULL,             -- "account:ID", "channel:ID", "link:ID"
  kind       text   NOT NULL,
  batch      text   NOT NULL,             -- items with the same batch join while it waits; "" = none do
  subject    text   NOT NULL,             -- as it was sent; for the log
  sealed     bytea,                       -- what may be known to nobody but the recipient; gone once sent
  state      text   NOT NULL,
  reason     text   NOT NULL,             -- why it waits, failed or was dropped
  created_ms bigint NOT NULL,
  due_ms     bigint NOT NULL,
  ends_ms    bigint NOT NULL,             -- pointless afterwards; 0 = never
  done_ms    bigint NOT NULL,
  tries      bigint NOT NULL,
  lease_ms   bigint NOT NULL,
  holder     text   NOT NULL,
  code       bigint NOT NULL,             -- of the last answer
  answer     text   NOT NULL
);
CREATE INDEX outbox_message_due ON outbox_message (state, due_ms);
CREATE INDEX outbox_message_target ON outbox_message (target, created_ms);
CREATE INDEX outbox_message_created ON outbox_message (created_ms);
CREATE TABLE outbox_item (
  target  text   NOT NULL,
  item    text   NOT NULL, -- the same news never goes to a target twice
  message text   NOT NULL, -- "" = it was not told, for the reason in note
  kind    text   NOT NULL,
  topic   text   NOT NULL,
  note    text   NOT NULL,
  at_ms   bigint NOT NULL, -- when it happened
  put_ms  bigint NOT NULL, -- when it came here
  PRIMARY KEY (target, item)
);
CREATE INDEX outbox_item_message ON outbox_item (message);
CREATE INDEX outbox_item_topic ON outbox_item (target, topic, put_ms);
