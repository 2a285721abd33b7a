// c15t as its documentation mounts it: Kysely, Hono, its own defaults. As durable as ours: SQLite syncs its log on every
// commit, PostgreSQL does so by itself.
import cluster from "node:cluster";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { c15tInstance } from "@c15t/backend";
import { kyselyAdapter } from "@c15t/backend/db/adapters/kysely";
import { migrator } from "@c15t/backend/db/migrator";
import { DB } from "@c15t/backend/db/schema";
import { Kysely, PostgresDialect, SqliteDialect } from "kysely";

const { FILE, SOCKET, DATABASE, PORT, WORKERS } = process.env;

async function openPostgreSQL() {
  const { default: pg } = await import("pg");
  return new PostgresDialect({ pool: new pg.Pool({ host: SOCKET, user: "consent", database: DATABASE }) });
}

async function openSqlite() {
  const { default: Database } = await import("better-sqlite3");
  const database = new Database(FILE);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  return new SqliteDialect({ database });
}

const dialect = await (SOCKET ? openPostgreSQL() : openSqlite());
const adapter = kyselyAdapter({ db: new Kysely({ dialect }), provider: SOCKET ? "postgresql" : "sqlite" });
if (cluster.isPrimary) {
  await (await migrator({ db: DB.client(adapter), schema: "latest" })).execute();
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork();
} else {
  const trustedOrigins = ["http://127.0.0.1:9000"];
  const c15t = c15tInstance({ appName: "shop", basePath: "/api/c15t", trustedOrigins, adapter });
  const app = new Hono();
  app.all("/api/c15t/*", (context) => c15t.handler(context.req.raw));
  serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) });
}
