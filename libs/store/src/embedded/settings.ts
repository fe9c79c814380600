/**
 * Settings of a server of our own. Durability stays whole: fsync, full_page_writes and synchronous_commit are on,
 * because an acknowledged start must survive the power cord. The rest suits one small machine, a journal that
 * commits about a thousand times a second, and projections written in bulk.
 */
export function serverSettings(options: { port: number; maxConnections: number }): Record<string, string | number> {
  return {
    // Reachable from this machine only. No unix socket: its path would have to fit into 107 bytes.
    listen_addresses: "127.0.0.1",
    port: options.port,
    unix_socket_directories: "",
    // Two pools per service, a few dedicated connections, and tests that run side by side. An unused slot costs some kilobytes.
    max_connections: options.maxConnections,
    // The hot pages (journal tails, recent projections) fit; more would only be taken from the page cache.
    shared_buffers: "256MB",
    // Each page's first change after a checkpoint is logged whole: rare checkpoints and compression make that cheap.
    // (`on` is pglz: the packaged binaries are built without lz4.)
    checkpoint_timeout: "15min",
    max_wal_size: "2GB",
    min_wal_size: "256MB",
    wal_compression: "on",
    // One flush's WAL is far smaller: no backend has to write WAL for want of buffers.
    wal_buffers: "16MB",
    // Lease and cursor rows are few and change all the time: look often, so that their tables stay a page or two.
    autovacuum_naptime: "10s",
    // Small statements only: planning for the compiler or for helpers costs more than they run, and helpers need /dev/shm,
    // which containers cap at 64 MB.
    jit: "off",
    max_parallel_workers_per_gather: 0,
    // A connection of a killed process is noticed, and its locks freed, within half a minute even if no RST arrives.
    tcp_keepalives_idle: 15,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 3,
    timezone: "UTC",
    log_timezone: "UTC",
    log_checkpoints: "off",
  };
}
