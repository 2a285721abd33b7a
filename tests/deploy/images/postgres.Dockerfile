# Stands in for the image `postgres`, which cannot be had where no image is pulled: Debian's PostgreSQL, started by what
# that image documents of its variables, and no more.
ARG DEBIAN=bookworm
FROM debian:${DEBIAN}-slim
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql \
    && rm -rf /var/lib/apt/lists/* && install --directory --owner postgres --group postgres --mode 0700 /var/lib/postgresql/data
RUN ln --symbolic /usr/lib/postgresql/*/bin /usr/lib/postgresql/bin
ENV PATH=/usr/lib/postgresql/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
COPY postgres-entrypoint /usr/local/bin/docker-entrypoint.sh
VOLUME /var/lib/postgresql/data
# Does not wait for its clients to go.
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
