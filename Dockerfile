# docs/docker.md says how to use the image, docs/adr/0023-image-and-compose-file.md why it is made this way.
ARG DEBIAN=bookworm

FROM debian:${DEBIAN}-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
RUN python3 -m venv /pip && python3 -m venv --without-pip /opt/consent/venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Before the code, so that a change of the code alone downloads nothing.
WORKDIR /source
COPY requirements.lock requirements-build.lock ./
RUN /pip/bin/pip --python /opt/consent/venv/bin/python install --require-hashes --requirement requirements.lock \
    && /pip/bin/pip install --require-hashes --requirement requirements-build.lock
COPY . .
RUN /pip/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /dist . \
    && /pip/bin/pip --python /opt/consent/venv/bin/python install --no-deps --no-index /dist/*.whl \
    && /opt/consent/venv/bin/consent --version

FROM debian:${DEBIAN}-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
    && groupadd --gid 10001 consent \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin consent \
    && install --directory --owner consent --group consent --mode 0750 /data /etc/consent
COPY --from=build /opt/consent/venv /opt/consent/venv
# The file system may be read-only: what Python compiles is compiled above.
ENV PATH=/opt/consent/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    CONSENT_INSTANCE=/data \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /data
VOLUME /data
EXPOSE 8000
USER 10001:10001
# By the interpreter alone: the image has no curl, and no proxy of the environment is asked.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python3", "-c", \
    "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["consent"]
CMD ["serve"]
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="consent-server" \
      org.opencontainers.image.description="A self-hosted consent manager whose receipts anyone can verify" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
