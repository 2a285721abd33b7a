# Stands in for the image `caddy`: Debian's Caddy with the folders, the variables and the capability that that image has.
ARG DEBIAN=bookworm
FROM debian:${DEBIAN}-slim
RUN apt-get update && apt-get install --yes --no-install-recommends caddy ca-certificates libcap2-bin wget \
    && rm -rf /var/lib/apt/lists/* && mkdir -p /config/caddy /data/caddy && setcap cap_net_bind_service=+ep /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
