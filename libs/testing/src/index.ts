export {
  createTestAuthority,
  findCertificateRemedy,
  type TestAuthority,
  type TestCertificate,
} from "./test-authority.ts";
/** For a process that is to keep its port while it is down. */
export { findFreePort } from "@heddle/broker";
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from "./test-database.ts";
export { type PrivateTestKafka, privateTestKafka, type TestKafka, testKafka, uniqueTopic } from "./test-kafka.ts";
export { defaultServer, serversUnderTest, stopTestServers, type TestServer } from "./test-server.ts";
