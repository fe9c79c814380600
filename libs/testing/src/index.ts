export {
  createTestAuthority,
  findCertificateRemedy,
  type TestAuthority,
  type TestCertificate,
} from "./test-authority.ts";
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from "./test-database.ts";
export { type PrivateTestKafka, privateTestKafka, type TestKafka, testKafka, uniqueTopic } from "./test-kafka.ts";
export { defaultServer, serversUnderTest, stopTestServers, type TestServer } from "./test-server.ts";
