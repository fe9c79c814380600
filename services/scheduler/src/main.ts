import { DomainError } from "@heddle/errors";
import { createSqlPoisonStore } from "@heddle/events";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { openBus, runProcess } from "@heddle/service-process";
import { schedulerMigrations } from "../migrations/index.ts";
import { schedulerConfig } from "./config.ts";
import { createSchedulerService } from "./service.ts";

await runProcess({
  name: "scheduler",
  config: schedulerConfig,
  store: { schema: "scheduler", migrations: schedulerMigrations },
  async compose(context) {
    const { config, owner, address, database, connect, dial, logger, metrics, fail } = context;
    const bus = await openBus("scheduler", context, { parkRefused: createSqlPoisonStore(database).park });
    return createSchedulerService({
      database,
      execution: connect(config.HEDDLE_EXECUTION_ADDRESS, [ExecutionService]),
      bus,
      owner,
      address,
      dial,
      logger,
      metrics,
      onSuperseded: () => fail(superseded(owner)),
    });
  },
});

function superseded(owner: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "CONFIG_INVALID",
    message: `another process has started under the owner name ${owner} on the same database, and has this one's shards; give each replica a HEDDLE_OWNER of its own`,
    metadata: { owner },
  });
}
