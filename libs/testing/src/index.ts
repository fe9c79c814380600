export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from "./test-database.ts";
export { defaultServer, serversUnderTest, stopTestServers, type TestServer } from "./test-server.ts";
