# One image for sidecar, edge, control plane and command line (target weft, the default), and the same with iptables
# for pods (target netns). Both are the base plus one layer of ours.
#   docker build -t weft:dev .
#   docker build -t weft:netns --target netns .

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: see tools/setup.mjs. Only what ends up in the bundle, and the bundler.
RUN npm pkg delete devDependencies.@biomejs/biome devDependencies.fast-check devDependencies.knip \
      devDependencies.oxlint devDependencies.oxlint-tsgolint devDependencies.typescript devDependencies.ws \
      devDependencies.@types/node devDependencies.@types/node-forge devDependencies.@types/ws \
 && npm install --no-save --include=dev --no-audit --no-fund --loglevel=error
COPY . .
# The image's content is put together here, with one time for all of it: the same sources give the same layer.
RUN node tools/build.ts \
 && mkdir -p /out/weft /out/var/lib/weft /out/run/weft \
 && cp -r bin dist config.schema.json package.json LICENSE /out/weft/ \
 && chmod -R u=rwX,go=rX /out/weft \
 && chmod 0700 /out/var/lib/weft \
 && chown 15001:15001 /out/var/lib/weft /out/run/weft \
 && find /out -exec touch -hd @0 {} +

FROM node:24-bookworm-slim AS weft
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Weft" \
      org.opencontainers.image.description="A service mesh and API gateway in one small program" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
COPY --from=build /out/ /
# A new volume at /var/lib/weft takes over its owner and mode. Names: the app calls http://payments:8082 as ever.
ENV NODE_ENV=production \
    WEFT_STATE_DIR=/var/lib/weft \
    WEFT_CA_DIR=/var/lib/weft/ca \
    WEFT_NAMES=on
USER 15001:15001
WORKDIR /var/lib/weft
EXPOSE 15006 15012 15013 15020
HEALTHCHECK --interval=5s --timeout=4s --retries=3 CMD ["node", "/weft/dist/health.js"]
ENTRYPOINT ["node", "/weft/bin/weft.js"]
CMD ["--help"]

FROM node:24-bookworm-slim AS packages
RUN apt-get update \
 && apt-get install -y --no-install-recommends iptables \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/log/*

# For pods: they set the rules of their network namespace, as root with NET_ADMIN, then give both up.
FROM packages AS netns
LABEL org.opencontainers.image.title="Weft pod" \
      org.opencontainers.image.description="Owns a network namespace: sets its packet rules, then sleeps" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
COPY --from=build /out/ /
USER 0:0
WORKDIR /
ENTRYPOINT ["node", "/weft/bin/weft.js"]
CMD ["pod"]

# The last stage is the default one.
FROM weft
