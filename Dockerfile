# The image of web, worker, beat and migrations: compose.yaml says which runs what.

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
WORKDIR /app
COPY . .
# Static files need no secret and no server, but settings that ask for both.
RUN ENVIRONMENT=production \
    SECRET_KEY=only-for-collecting-static-files-in-the-build-of-the-image \
    ALLOWED_HOSTS=localhost BASE_URL=https://localhost SUPPORT_EMAIL=build@localhost \
    DATABASE_URL=postgres:///unused REDIS_URL=redis://unused \
    STRIPE_SECRET_KEY=unused STRIPE_WEBHOOK_SECRETS=unused \
    /opt/venv/bin/python manage.py collectstatic --no-input

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home purser
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# A volume that is mounted here for the first time takes its owner over.
RUN install --directory --owner purser --mode 0700 /app/var/exports
USER purser
ENV PATH=/opt/venv/bin:$PATH \
    ENVIRONMENT=production \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CELERY_BEAT_FILE=/tmp/celerybeat-schedule
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
# One worker a container, so that its /metrics tells all; more containers for more cores.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--blocking-threads", "8", "--log-level", "warning", "config.wsgi:application"]
