# The production image: web, worker and beat are the same image with another command (see docker-compose.yml).

FROM node:22-bookworm-slim AS pages
WORKDIR /pages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.13-slim-bookworm AS packages
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.13-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-liberation fonts-droid-fallback fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/tollgate --create-home tollgate \
 && install -d -o tollgate -g tollgate -m 0700 /var/lib/tollgate/files /var/lib/tollgate/beat
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=billing.settings MEDIA_ROOT=/var/lib/tollgate/files STATIC_ROOT=/srv/static
WORKDIR /srv/tollgate
COPY --from=packages /venv /venv
COPY --from=pages /pages/node_modules node_modules
COPY . .
RUN python -m billing.dev.catalogues && python manage.py collectstatic --no-input -v 0 && rm -rf node_modules
USER tollgate
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "billing.wsgi:application"]
