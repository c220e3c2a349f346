"""Runs a command under settings as they would be in production.

python -m tests.architecture.production manage.py check --deploy
"""

from __future__ import annotations

import os
import subprocess
import sys

# Nothing of it is real; together it is all that `config.startup` asks for.
ENVIRONMENT = {
    "ENVIRONMENT": "production",
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ALLOWED_HOSTS": "billing.example.com",
    "BASE_URL": "https://billing.example.com",
    "SUPPORT_EMAIL": "support@example.com",
    "DATABASE_URL": "postgres://purser:password@postgres.example/purser",
    "REDIS_URL": "redis://valkey.example:6379/0",
    "STRIPE_SECRET_KEY": "sk_live_example",
    "STRIPE_WEBHOOK_SECRETS": "whsec_example",
}


if __name__ == "__main__":
    command = [sys.executable, *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=ENVIRONMENT, check=False).returncode)
