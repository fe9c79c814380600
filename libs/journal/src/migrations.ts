import type { Migration } from "@heddle/store";

/** The journal's tables, for a service to put first among its own migrations. `partitions` as given to the runtime. */
export function journalMigrations(partitions = 64): readonly Migration[] {
  return [
    {
      name: "0000_journal",
      async up(knex) {
        await knex.raw(UP);
        await knex.raw("insert into journal_partitions (partition) select generate_series(0, ?::int - 1)", [
          partitions,
        ]);
      },
      async down(knex) {
        await knex.raw(DOWN);
      },
    },
    {
      name: "0001_journal_owner_address",
      async up(knex) {
        // Where other processes reach the owner, `http://host:port`; empty for one that told none.
        await knex.raw("alter table journal_owners add column address text not null default ''");
      },
      async down(knex) {
        await knex.raw("alter table journal_owners drop column address");
      },
    },
    {
      name: "0002_journal_slots",
      async up(knex) {
        await knex.raw(SLOT_FUNCTIONS);
      },
      async down(knex) {
        await knex.raw("drop function journal_create_slot(bigint), journal_drop_slot(bigint)");
      },
    },
    {
      name: "0003_journal_payload_users",
      async up(knex) {
        // Aggregates with the same content share a payload: it goes with the last of them. Of payloads that are not counted,
        // which were there before, nobody knows who uses them.
        await knex.raw("alter table payloads add column counted boolean not null default false");
        await knex.raw(
          "create table payload_users (digest bytea not null, id uuid not null, primary key (id, digest))",
        );
        await knex.raw("create index payload_users_by_digest on payload_users (digest)");
      },
      async down(knex) {
        await knex.raw("drop table payload_users");
        await knex.raw("alter table payloads drop column counted");
      },
    },
  ];
}

// Autovacuum by count, not by share: these tables have a page or two, and their rows change all the time.
const SMALL_AND_HOT = "with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200)";

const UP = `
  -- Unique for ever: a fence once given to a writer is never given again.
  create sequence journal_fences;

  -- One row per live process. An append locks this row and changes nothing in it, so it leaves no dead row behind even
  -- while someone's long transaction holds back vacuum. Whoever takes partitions away removes the row first, and thereby
  -- waits for the append under way and makes every later one void.
  create table journal_owners (
    owner text primary key,
    incarnation uuid not null,
    fence bigint not null,
    expires_at timestamptz not null
  ) ${SMALL_AND_HOT};

  -- Everything of the partition up to projected_offset is in the projections.
  create table journal_partitions (
    partition smallint primary key,
    owner text,
    epoch bigint not null default 0,
    projected_offset bigint not null default 0,
    -- Of the last entry at that time: the next entry names it as the one before, and projected_offset may be beyond it.
    head_offset bigint not null default 0
  ) ${SMALL_AND_HOT};

  -- One row per flush, with the events of all partitions that it touched; bit p of partitions is set for partition p.
  -- Offsets only grow per partition, whoever writes: a new owner begins above everything that is there. Two owners may
  -- use the same offset for different partitions, their fences tell the rows apart. A slot is a stretch of time whose
  -- table is created ahead and dropped as a whole.
  create table journal (
    slot bigint not null,
    journal_offset bigint not null,
    fence bigint not null,
    partitions bigint not null,
    batch bytea not null,
    primary key (journal_offset, fence, slot)
  ) partition by list (slot);
  -- Batches are small messages: Postgres would try to compress each and gain little.
  alter table journal alter column batch set storage external;

  create table payloads (
    digest bytea primary key,
    bytes bytea not null
  );

  create table history (
    id uuid not null,
    first_seq integer not null,
    last_seq integer not null,
    -- 0: plain, 1: deflate, without header
    encoding smallint not null,
    events bytea not null,
    primary key (id, first_seq)
  );
  alter table history alter column events set storage external;

  create table publisher_cursors (
    name text not null,
    partition smallint not null,
    journal_offset bigint not null,
    primary key (name, partition)
  ) ${SMALL_AND_HOT};
`;

const DOWN = `
  drop table publisher_cursors;
  drop table history;
  drop table payloads;
  drop table journal;
  drop table journal_partitions;
  drop table journal_owners;
  drop sequence journal_fences;
`;

// What changes tables while the service runs, with the rights of whoever migrated: the role that serves can do this and no other
// change. The search path is fixed, temporary tables last, so that no caller can put a table of its own in the way.
const SLOT_FUNCTIONS = `
  do $do$ begin
    execute format($definition$
      create function journal_create_slot(slot bigint) returns void
      language plpgsql security definer set search_path = %1$I, pg_temp as $body$
      declare
        name text := 'journal_' || slot;
      begin
        if to_regclass(name) is not null then return; end if;
        -- Made apart and attached: PARTITION OF would lock the journal against everybody. Never vacuumed, for no row is ever
        -- changed; wide rows stay in line, because a flush of one partition may well have some kilobytes.
        execute format('create table %%I (like journal including defaults including storage)
          with (autovacuum_enabled = false, toast_tuple_target = 8160)', name);
        execute format('alter table journal attach partition %%I for values in (%%s)', name, slot);
      end $body$
    $definition$, current_schema());
    execute format($definition$
      -- Drops it only when every row is projected and published: then no recovery and no publisher will ask for it.
      create function journal_drop_slot(slot bigint) returns boolean
      language plpgsql security definer set search_path = %1$I, pg_temp as $body$
      declare
        name text := 'journal_' || slot;
        needed boolean;
      begin
        execute format('select exists (
          select from %%I where journal_offset > least(
            (select min(projected_offset) from journal_partitions),
            (select min(journal_offset) from publisher_cursors)))', name) into needed;
        if needed then return false; end if;
        execute format('drop table %%I', name);
        return true;
      end $body$
    $definition$, current_schema());
  end $do$;
  revoke all on function journal_create_slot(bigint), journal_drop_slot(bigint) from public;
`;
