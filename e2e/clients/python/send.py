"""An extension that reports with sentry-sdk: two failures and a message."""

import os

import sentry_sdk

sentry_sdk.init(
    dsn=os.environ["DSN"],
    release="acme-python@0.9.0",
    environment="production",
    auto_session_tracking=False,
)
sentry_sdk.set_user({"id": "install-1", "email": "person@example.test"})


def parse(text):
    return int(text)


def activate():
    try:
        parse("no number")
    except ValueError as cause:
        raise RuntimeError("activation failed") from cause


for _ in range(2):
    try:
        activate()
    except RuntimeError:
        sentry_sdk.capture_exception()
sentry_sdk.capture_message("a message", level="info")
sentry_sdk.flush(60)
