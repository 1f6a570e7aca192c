# docker build -t segue . && docker run --rm -p 8000:8000 -v segue:/data -e SEGMENT_WRITE_KEY -e STRIPE_WEBHOOK_SECRET segue
# The web server and the worker in one container, with a SQLite journal on the volume /data. For PostgreSQL: compose.yaml.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.txt ./
RUN python -m venv /opt/segue && /opt/segue/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md segue.py segue.example.toml ./
COPY docs docs
COPY webhooks webhooks
COPY translators translators
RUN /opt/segue/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --uid 10001 --home-dir /data --no-create-home segue && install -d -m 700 -o segue -g segue /data
COPY --from=build /opt/segue /opt/segue
ENV PATH=/opt/segue/bin:$PATH PYTHONUNBUFFERED=1 SEGUE_DATABASE=sqlite:////data/segue.db SEGUE_HOST=0.0.0.0 PORT=8000
USER segue
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:%s/healthz' % os.environ['PORT'], timeout=4)"]
ENTRYPOINT ["segue"]
CMD ["serve"]
